use super::super::document::Document;
use super::*;

/// The message of `key = value`, read as a `kind`.
fn complaint<T: fmt::Debug>(value: &str, kind: Kind<'_, T>) -> String {
    let document = Document::parse("a.toml", &format!("key = {value}")).unwrap();
    document.root().required("key", kind).unwrap_err().to_string()
}

fn accepts<T>(value: &str, kind: Kind<'_, T>) -> T {
    Document::parse("a.toml", &format!("key = {value}")).unwrap().root().required("key", kind).unwrap()
}

#[test]
fn values_of_every_kind() {
    assert_eq!(accepts("18446744073709551615", integer::<u64>(..)), u64::MAX);
    assert_eq!(accepts("0x1F", integer::<usize>(1..=31)), 31);
    assert_eq!(accepts("-3", integer::<i8>(..)), -3);
    assert_eq!(accepts("3", number(0.0..)).to_bits(), 3.0_f64.to_bits());
    assert!(accepts("true", boolean()));
    assert_eq!(accepts("'x'", text()), "x");
    assert_eq!(accepts("[[1], [2, 3], []]", list(list(integer::<u32>(..)))), [vec![1], vec![2, 3], vec![]]);
    let node = || integer::<i64>(0..).or(word([("clients", -1), ("replicas", -2)]));
    assert_eq!(accepts("[3, 'clients']", list(node())), [3, -1]);
    assert_eq!(accepts("4", integer::<u8>(..).map(|n| n * 2)), 8);
}

#[test]
fn errors_as_users_see_them() {
    let positive = (Bound::Excluded(0.0), Bound::Unbounded);
    let modes = [("closed", 0), ("open", 1)];
    for (message, expected) in [
        (
            complaint("'ten'", integer::<u32>(1..=65_000)),
            "\"ten\": this is text\n  allowed: a whole number from 1 to 65000",
        ),
        (
            complaint("'7'", integer::<u32>(1..)),
            "\"7\": this is text\n  allowed: a whole number, at least 1\n  hint: write 7 without quotes",
        ),
        (
            complaint("7.0", integer::<u32>(..)),
            "7.0: this is a decimal number\n  allowed: a whole number, at least 0\n  hint: write 7",
        ),
        (complaint("0", integer::<u32>(1..5)), "0: too small\n  allowed: a whole number, at least 1 and below 5"),
        (complaint("-1", integer::<u8>(..)), "-1: too small\n  allowed: a whole number, at least 0"),
        (complaint("-1000", integer::<i8>(..)), "-1000: below -128\n  allowed: a whole number"),
        (complaint("256", integer::<u8>(1..)), "256: above 255\n  allowed: a whole number, at least 1"),
        (complaint("nan", number(..)), "nan: this is not a finite number\n  allowed: a finite number"),
        (complaint("0.0", number(positive)), "0.0: too small\n  allowed: a finite number, above 0"),
        (complaint("2", number(..=1.5)), "2: too large\n  allowed: a finite number, at most 1.5"),
        (
            complaint("'true'", boolean()),
            "\"true\": this is text\n  allowed: true or false\n  hint: write true without quotes",
        ),
        (complaint("7", text()), "7: this is a whole number\n  allowed: text in quotes\n  hint: write \"7\""),
        (complaint("1979-05-27", boolean()), "1979-05-27: this is a date or time\n  allowed: true or false"),
        (
            complaint("'opne'", word(modes)),
            "\"opne\": unknown word\n  allowed: \"closed\" or \"open\"\n  hint: did you mean \"open\"?",
        ),
        (complaint("'zzz'", word(modes)), "\"zzz\": unknown word\n  allowed: \"closed\" or \"open\""),
        (complaint("{ a = 1 }", word(modes)), "{ a = 1 }: this is a table\n  allowed: \"closed\" or \"open\""),
        (
            complaint("5", list(integer::<u8>(..=9))),
            "5: this is a whole number\n  allowed: a list of: a whole number from 0 to 9",
        ),
    ] {
        assert_eq!(message, format!("a.toml:1: key = {expected}"));
    }
}

#[test]
fn the_wrong_item_of_a_list_is_named() {
    let groups = || list(list(integer::<u8>(..=9)));
    assert_eq!(
        complaint("[[1],\n [2, 30]]", groups()),
        "a.toml:2: key[1][1] = 30: too large\n  allowed: a whole number from 0 to 9"
    );
    // A list is of the second type, so the second kind explains it.
    let kind = word([("each", Vec::new())]).or(groups());
    assert_eq!(
        complaint("[1]", kind),
        "a.toml:1: key[0] = 1: this is a whole number\n  allowed: a list of: a whole number from 0 to 9"
    );
    let kind = word([("each", Vec::new())]).or(groups());
    assert_eq!(
        complaint("'eahc'", kind),
        "a.toml:1: key = \"eahc\": unknown word\n  allowed: \"each\"; or a list of: a list of: a whole \
         number from 0 to 9\n  hint: did you mean \"each\"?"
    );
}
