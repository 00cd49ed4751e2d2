from shop import app


def test_basket():
    assert app.get("/basket") == 200


def test_imprint():
    assert app.get("/imprint") == 200
