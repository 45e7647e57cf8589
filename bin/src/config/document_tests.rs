use super::super::kind::integer;
use super::*;

fn refused(text: &str) -> String {
    Document::parse("a.toml", text).unwrap_err().to_string()
}

/// The tree after one override, as TOML.
fn after(text: &str, argument: &str) -> Result<String, String> {
    let mut document = Document::parse("a.toml", text).unwrap();
    match document.set(argument) {
        Ok(()) => Ok(document.root.value.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn every_value_knows_its_line_and_keys_keep_their_order() {
    let text = "z = 1\r\na = [\r\n 2,\r\n 3]\r\n[t.u]\r\n\r\nx = \"\"\"\r\n\r\n\"\"\"\r\ny = { q = 1 }\r\n[[w]]\r\n[[w]]\r\n[t]\r\n";
    let document = Document::parse("a.toml", text).unwrap();
    let root = document.root();
    assert_eq!(root.keys().collect::<Vec<_>>(), ["z", "a", "w", "t"]);
    assert_eq!(root.origin("z").to_string(), "a.toml:1");
    assert_eq!(root.origin("t").to_string(), "a.toml:13");
    let Some(Value::List(items)) = root.value("a") else { panic!("a list") };
    assert_eq!(items[1].origin.to_string(), "a.toml:4");
    let inner = root.section("t").unwrap().section("u").unwrap();
    assert_eq!(inner.origin("y").to_string(), "a.toml:10");
    assert_eq!(inner.section("y").unwrap().origin("q").to_string(), "a.toml:10");
    assert_eq!(root.sections("w").unwrap()[1].place().to_string(), "a.toml:12");
}

#[test]
fn values_print_as_toml() {
    for text in [
        r#"{ a = "q\"\\\n\t\u0007é", "b c" = [1, -2.5, 1e300, true], d = {}, e = nan, f = 1979-05-27 }"#,
        "{ a = [{ b = inf }, []], \"\" = 18446744073709551615 }",
    ] {
        let origin = Origin::Default;
        let value = parse_override(text, &origin).unwrap();
        assert_eq!(value.to_string(), text);
    }
}

#[test]
fn syntax_errors_as_users_see_them() {
    for (text, message) in [
        (
            "\na = 5ms",
            "a.toml:2: not valid TOML: string values must be quoted: `a = 5ms`\n  hint: write \"5ms\" in quotes",
        ),
        ("a = \n", "a.toml:1: not valid TOML: string values must be quoted: `a =`"),
        (
            "a = 1\nb = 2\na = 3",
            "a.toml:3: not valid TOML: duplicate key: `a = 3`\n  hint: `a` is already set further up; keep one of the two",
        ),
        (
            "[a]\n[b]\n[a]",
            "a.toml:3: not valid TOML: duplicate key: `[a]`\n  hint: `a` is already set further up; keep one of the two",
        ),
        ("a = [1, 2\n\n\n", "a.toml:1: not valid TOML: unclosed array, expected `]`: `a = [1, 2`"),
        ("[a\nb = 1", "a.toml:1: not valid TOML: unclosed table, expected `]`: `[a`"),
        ("a = 'x\nb = 1", "a.toml:1: not valid TOML: invalid literal string, expected `'`: `a = 'x`"),
        (
            "a = 1\na.b = 2",
            "a.toml:2: not valid TOML: cannot extend value of type integer with a dotted key: `a.b = 2`",
        ),
        (
            "a = 0x99999999999999999999999999999999999",
            "a.toml:1: the number 99999999999999999999999999999999999 is too large",
        ),
        ("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q = 1", "a.toml:1: a key has more than 16 parts"),
    ] {
        assert_eq!(refused(text), message);
    }
}

#[test]
fn overrides() {
    for (text, argument, result) in [
        ("", "cluster.replicas=7", "{ cluster = { replicas = 7 } }"),
        ("", "network.latency.mean=5ms", r#"{ network = { latency = { mean = "5ms" } } }"#),
        ("a = 1", " a = 'x=y' ", r#"{ a = "x=y" }"#),
        ("a = 1", "a=", r#"{ a = "" }"#),
        ("a = 1", "a=f+1=2", r#"{ a = "f+1=2" }"#),
        ("a = 1\nb = 2", "a={ c = [1] }", "{ a = { c = [1] }, b = 2 }"),
        ("[a]\nb = 1", r#""a".'b'=2"#, "{ a = { b = 2 } }"),
        ("", r#""a.\"b=" = 2"#, r#"{ "a.\"b=" = 2 }"#),
        ("a = [1, 2]", "a.1=5", "{ a = [1, 5] }"),
        ("a = [1, 2]", "a[2]=5", "{ a = [1, 2, 5] }"),
        ("[[a.b]]\nk = 1", "a.b.0.k=2", "{ a = { b = [{ k = 2 }] } }"),
        ("[[a.b]]\nk = 1", "a.b[1].k=2", "{ a = { b = [{ k = 1 }, { k = 2 }] } }"),
    ] {
        assert_eq!(after(text, argument).as_deref(), Ok(result), "{argument}");
    }
    for (text, argument, problem) in [
        ("", "a", "there is no `=` between key and value\n  hint: write for example `--set adversary.count=3`"),
        ("", "=1", "a part of the key is empty\n  hint: write for example `--set adversary.count=3`"),
        ("", "a..b=1", "a part of the key is empty\n  hint: write for example `--set adversary.count=3`"),
        ("", "a b=1", "`b` cannot stand in a key without quotes\n  hint: write for example `--set adversary.count=3`"),
        ("", "'a=1", "the quote `'` in the key is not closed\n  hint: write for example `--set adversary.count=3`"),
        ("a = 5", "a.b.c=1", "`a` is a whole number, so it has no key `b`\n  hint: set `a` as a whole"),
        ("a = [1]", "a.2=1", "`a` has no element `2`\n  allowed: an index from 0 to 1, counted from 0; 1 appends"),
        ("a = [1]", "a.x=1", "`a` has no element `x`\n  allowed: an index from 0 to 1, counted from 0; 1 appends"),
        ("", "a=[1, 2", "the value `[1, 2` is not TOML: unclosed array, expected `]`"),
        (
            "",
            "a={ b = 0x99999999999999999999999999999999999 }",
            "the value `{ b = 0x99999999999999999999999999999999999 }` is not TOML: a number in it is too large",
        ),
    ] {
        assert_eq!(after(text, argument), Err(format!("--set {argument}: {problem}")));
    }
}

#[test]
fn overridden_values_name_their_origin() {
    let mut document = Document::parse("a.toml", "[adversary]\ncount = 2").unwrap();
    let read = |document: &Document| {
        let adversary = document.root().section("adversary").unwrap();
        adversary.required("count", integer::<u8>(0..=3)).unwrap_err().to_string()
    };
    document.set("adversary.count=30").unwrap();
    assert_eq!(
        read(&document),
        "--set adversary.count=30: adversary.count = 30: too large\n  allowed: a whole number from 0 to 3"
    );
    let origin = Origin::Sweep { path: "a.toml".into(), line: 40, key: "adversary.count".into(), value: "9".into() };
    document.set_value("adversary.count", Value::Integer(9), &origin).unwrap();
    assert_eq!(
        read(&document),
        "a.toml:40 ([sweep] adversary.count = 9): adversary.count = 9: too large\n  \
         allowed: a whole number from 0 to 3"
    );
    let error = document.set_value("a=b", Value::Boolean(true), &origin).unwrap_err();
    assert!(error.to_string().ends_with("`a=b` is not a key: `=b` is too much"));
    assert_eq!(Origin::Default.to_string(), "default");
}

#[test]
fn no_input_panics() {
    let deep = [
        "[".repeat(100_000),
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{a=".repeat(100_000)),
        format!("{}a = 1", "a.".repeat(100_000)),
        format!("[b]\n[a.{}a]\n[[b]]", "\"a\" . ".repeat(100_000)),
        format!("a = {}1{}", "{a.b.c.d.e.f.g.h = [".repeat(30), "]}".repeat(30)),
    ];
    let pieces = [
        "a", ".", "=", "[", "]", "[[", "{", "}", "'", "\"", "\\", "\n", "\r\n", ",", "5", "-", "é", "#", "\u{feff}",
        "\0", " ",
    ];
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize
    };
    let noise = (0..20_000).map(|_| (0..random() % 12).map(|_| pieces[random() % pieces.len()]).collect::<String>());
    for text in deep.into_iter().chain(noise) {
        let parsed = Document::parse("a.toml", &text).map_err(|error| error.to_string());
        let mut document = parsed.unwrap_or_else(|_| Document::parse("", "a = [{ a = 5 }]").unwrap());
        for argument in [text.clone(), format!("a={text}"), format!("{text}=1")] {
            let _ = document.set(&argument).map_err(|error| error.to_string());
        }
        let root = document.root();
        let _ = root.section("a").map_err(|error| error.to_string());
        let _ = root.finish().map_err(|error| error.to_string());
    }
}
