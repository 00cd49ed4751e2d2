from parcels import Address, lable


def test_the_name_is_in_capitals():
    address = Address("Ada Lovelace", "12 St James's Square", "London")
    assert lable(address).splitlines()[0] == "ADA LOVELACE"


def test_a_label_has_three_lines():
    assert len(lable(Address("Ada", "Square", "London")).splitlines()) == 3
