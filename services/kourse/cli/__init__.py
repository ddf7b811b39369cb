"""The commands ``kourse`` and ``kubectl kourse``: a thin, scriptable layer over the public interfaces."""
