from dates import weekday


def test_weekday():
    assert weekday(datetime.date(1815, 12, 10)) == "Sunday"
