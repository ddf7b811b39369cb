"""All SQL of assessment: ``get_`` raises, ``find_`` may give None, ``list_`` gives all."""
