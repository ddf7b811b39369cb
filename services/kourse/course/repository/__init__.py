"""All SQL of course: ``get_`` raises, ``find_`` may give None, ``list_`` gives several."""
