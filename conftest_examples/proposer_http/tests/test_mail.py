import mail


def test_send():
    assert mail.send("ada@example.org", " hello ") == "to ada@example.org: hello"
