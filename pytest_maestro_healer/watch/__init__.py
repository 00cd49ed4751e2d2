"""``maestro-heal watch``: rerun what a change affects, heal at once.

What decides is pure: :mod:`.mentions` and :mod:`.affected` (which tests a change reaches), :mod:`.debounce` (when files are whole),
:mod:`.outputs` (which changes the tests make themselves), :mod:`.board` (what is known about each test). The shell is :mod:`.loop`.
"""
