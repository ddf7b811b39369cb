"""All SQL of profile: ``get_`` raises, ``find_`` may give None, ``list_`` gives several."""
