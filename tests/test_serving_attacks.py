"""A list of attacks on the page as it is served; and that the same list finds something in a page served carelessly."""

import socket
from contextlib import closing

import pytest
import serving_attacks as attacks
from serving_client import API, events, file_data, served

pytest.importorskip("gradio")

UVICORN_SAYS = b"Invalid HTTP request received."


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    """A file that no visitor may see, in the folder where the server is started."""
    path = tmp_path_factory.mktemp("server") / "secret.txt"
    path.write_bytes(attacks.SECRET)
    return path


@pytest.fixture(scope="module")
def page(secret):
    with served("kept", secret.parent, requests_per_second=10_000) as page:
        yield page


@pytest.fixture
def careless(secret):
    with served("plain", secret.parent / "plain") as page:
        yield page


@pytest.fixture(scope="module")
def listener():
    """A server of ours that nobody has a reason to reach: how often it was."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        listening.setblocking(False)
        yield listening


def was_reached(listener) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def faults_of(page, attack) -> list[str]:
    try:
        answer = page.ask(attack.method, attack.path.replace(" ", "%20"), attack.body, attack.headers, timeout=3)
    except (ConnectionError, TimeoutError) as problem:  # the connection is cut where a body is far too large
        return [] if attack.body and len(attack.body) > 1_000_000 else [repr(problem)]
    if answer.body == UVICORN_SAYS:  # no request at all: said before any application is asked
        return []
    return attacks.faults(answer)


def all_attacks(page, secret, port):
    yield from attacks.traversals(secret)
    yield from attacks.closed_routes()
    yield from attacks.addresses(port)
    yield from attacks.filenames()
    yield from attacks.multiparts()
    yield from attacks.documents()
    yield from attacks.heads(page.url)


def test_no_attack_gets_anywhere(page, secret, listener):
    listed = list(all_attacks(page, secret, listener.getsockname()[1]))
    assert len(listed) > 250
    found = {attack.name: faults for attack in listed if (faults := faults_of(page, attack))}
    assert found == {}
    assert page.healthy()
    assert not was_reached(listener)


def test_the_server_looks_up_and_connects_to_nothing_but_itself(page):
    reached = set(page.report.read_text().split())
    own = {page.address[0], "localhost", f"{page.address[0]}:{page.address[1]}"}
    assert reached <= own, reached - own


def test_no_job_reads_a_file_that_was_not_uploaded(page, secret):
    outcomes = {}
    for name, endpoint, data in attacks.unuploaded(secret, page.url):
        answer = page.call(endpoint, data)
        leaks = attacks.faults(answer) + leaked_files(page, answer)
        ended = [kind for kind, _ in events(answer.body)] if answer.status == 200 else ["error"]
        outcomes[name] = leaks or ([] if "complete" not in ended else ["the job was done"])
    assert {name: faults for name, faults in outcomes.items() if faults} == {}
    assert len(outcomes) >= 36
    assert page.healthy()


def leaked_files(page, answer) -> list[str]:
    """Whether a file that a job gave back has the secret."""
    if answer.status != 200:
        return []
    given = [file["path"] for _, data in events(answer.body) for file in files_in(data)]
    bodies = [page.ask("GET", f"{API}/file={path}").body for path in given]
    return ["gives the secret as a file"] if any(attacks.SECRET in body for body in bodies) else []


def files_in(data):
    if isinstance(data, dict):
        return [data] if "path" in data else [file for value in data.values() for file in files_in(value)]
    return [file for value in data for file in files_in(value)] if isinstance(data, list) else []


def test_a_file_that_was_uploaded_can_be_had_and_used(page):
    """The other side of the coin: what is refused is not simply everything."""
    path = page.upload(b"hello", "a.txt").document[0]
    assert page.ask("GET", f"{API}/file={path}").body == b"hello"
    assert events(page.call("file", [file_data(path)]).body)[-1][0] == "complete"


def test_errors_of_a_job_say_nothing(page):
    assert events(page.call("broken", []).body)[-1] == ("error", {"error": None})


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_no_foreign_page_may_read_answers(page, origin):
    answer = page.ask("GET", "/config", None, [("origin", origin)])
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_runs_only_scripts_that_the_server_wrote(page):
    policy = page.ask("GET", "/").headers["content-security-policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "'sha256-" in scripts
    assert "unsafe-inline" not in scripts
    assert "http" not in policy


@pytest.mark.slow
def test_no_attack_on_the_true_page_gets_anywhere(secret, listener):
    with served("page", secret.parent / "page", requests_per_second=10_000) as page:
        listed = all_attacks(page, secret, listener.getsockname()[1])
        found = {attack.name: faults for attack in listed if (faults := faults_of(page, attack))}
        assert found == {}
        assert page.healthy()


@pytest.mark.slow
def test_a_page_served_carelessly_fails_the_same_checks(careless, secret, listener):
    """Gradio's own launch: no headers, words with paths; it looks addresses up for visitors; statistics are open."""
    port = listener.getsockname()[1]
    listed = [
        *list(attacks.traversals(secret))[:32],
        *attacks.addresses(port),
        *attacks.filenames(),
        *attacks.multiparts(),
    ]
    found = {attack.name: faults for attack in listed if (faults := faults_of(careless, attack))}
    kinds = {fault for faults in found.values() for fault in faults}
    assert {"lacks x-content-type-options", "lacks content-security-policy", "names the server's software"} <= kinds
    assert "tells of the server's inside" in kinds
    assert any(fault.startswith("ends with 5") for fault in kinds)
    assert "pixturn-canary.example" in careless.report.read_text()
    assert careless.ask("GET", "/monitoring/summary").status == 200
    assert events(careless.call("broken", []).body)[-1] != ("error", {"error": None})
    scripts = careless.ask("GET", "/").headers.get("content-security-policy", "")
    assert "sha256" not in scripts
