from settings import DEFAULTS, dump, load


def test_defaults():
    assert load("{}") == DEFAULTS


def test_a_setting_replaces_its_default():
    assert load('{"port": 9000}')["port"] == 9000


def test_dump_can_be_read_by_anyone():
    assert json.loads(dump(DEFAULTS)) == DEFAULTS
