() => {
  const KEY = "pixturn-light";
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // a browser that keeps nothing
    }
  };
  const apply = () => {
    const dark = (stored() ?? (system.matches ? "dark" : "light")) === "dark";
    document.body.classList.toggle("dark", dark);
    document.documentElement.style.colorScheme = dark ? "dark" : "light";
  };

  window.pixturnSwitchLight = () => {
    const dark = document.body.classList.contains("dark");
    try {
      localStorage.setItem(KEY, dark ? "light" : "dark");
    } catch {
      /* it lasts until the page is left */
    }
    document.body.classList.toggle("dark", !dark);
    document.documentElement.style.colorScheme = dark ? "light" : "dark";
  };

  document.documentElement.lang = "en";
  const begin = () => {
    apply();
    system.addEventListener("change", apply);
    setTimeout(apply, 400); // Gradio sets the class of the system's choice once it stands
  };
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
}
