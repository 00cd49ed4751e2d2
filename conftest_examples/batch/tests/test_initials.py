import text


def test_initials():
    assert text.initials("Ada  Lovelace") == "AL"
