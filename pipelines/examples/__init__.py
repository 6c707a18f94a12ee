"""Real data sets made from pictures that ship inside installable packages: no download, no account, known licences.

`openmoji` is paired (line art to colour); `basemap` is satellite to map with the pairing hidden, and the truth kept
for scoring. The others are of one domain: `digits`, `stacked`, `fashion` and `emoji` with classes, and `gaussians`,
points with known modes; `photos` has photos alone, from which inputs are made. All but `fashion` and `gaussians` need
`pip install pixturn[examples]`; `fashion` and `photos` take their originals from Debian's packages.
"""
