from jupiter_sdk import Record, testing

from jupiter_starter.plugin import PLUGIN

RECORDS = [Record(text=t) for t in ("calm", "LOUD", "12", "")]


def test_filter() -> None:
    with testing.connect(PLUGIN) as conn:
        verdicts = conn.filter(conn.call("filter", "starter"), RECORDS)
        assert [v.keep for v in verdicts] == [True, False, True, True]
        assert [v.reason for v in verdicts] == ["", "capitals", "", ""]
        assert all(v.keep for v in conn.filter(conn.call("filter", "starter", {"max_share": 1}), RECORDS))


def test_validate() -> None:
    with testing.connect(PLUGIN) as conn:
        assert not conn.validate("filter", "starter")
        assert len(conn.validate("filter", "starter", {"max_share": 2})) == 1
