"""Seeded faults in real packages: what a healer finds, what it writes unasked, and what it must leave alone.

``model`` has the nouns, ``hosts`` the packages, ``registry`` the table of injectors; ``syntax``, ``dependency``, ``api``, ``values`` inject at
real places of the hosts' own tests, the ``templates_*`` plant a small feature first; ``negatives`` breaks the product. ``project`` puts a
case on the disk and runs it, ``healers`` heals it, ``score`` judges the result without asking the healer, ``report`` prints.
"""
