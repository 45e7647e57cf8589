//! `--plots`: which pictures there are, and where.

mod program;

use program::{Desk, Finished};

fn pictures(desk: &Desk, folder: &str) -> Vec<String> {
    let files =
        std::fs::read_dir(desk.path(folder)).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut pictures: Vec<String> =
        files.filter(|name| name.ends_with(".svg")).map(|name| name.replace(".svg", "")).collect();
    pictures.sort();
    for name in &pictures {
        let svg = desk.read(&format!("{folder}/{name}.svg"));
        assert!(svg.starts_with("<?xml") && !svg.contains("NaN") && !svg.contains("inf\""), "{name}");
        let png = std::fs::read(desk.path(&format!("{folder}/{name}.png"))).unwrap();
        assert!(png.starts_with(b"\x89PNG") && png.len() > 1000, "{name}");
    }
    pictures
}

#[test]
fn a_sweep_has_its_three_figures_and_analyze_draws_everything() {
    let desk = Desk::with(
        r#"
        experiment = { runs = 5, time_limit = "1s" }
        [adversary]
        attack = [{ kind = "silent", start = "5ms" }]
        [sweep]
        "adversary.count" = [0, 1]
        [output]
        events = "messages"
        "#,
    );
    assert_eq!(desk.byzlab("run e.toml --out r").code, Some(0));
    assert_eq!(pictures(&desk, "r"), ["figures", "latency", "success"]);
    let Finished { code, stderr, .. } = desk.byzlab("analyze r --plots=p");
    assert_eq!(code, Some(0), "{stderr}");
    let everything =
        ["ecdf", "figures", "histogram", "latency", "message_kinds", "messages", "quantiles", "success", "timeline"];
    assert_eq!(pictures(&desk, "p"), everything);
    // Without a folder of their own they stand beside the logs, and a new run with --force takes them away.
    assert_eq!(desk.byzlab("analyze --plots r").code, Some(0));
    assert_eq!(pictures(&desk, "r"), everything);
    assert_eq!(desk.byzlab("run e.toml --out r --force").code, Some(0));
    assert_eq!(pictures(&desk, "r"), ["figures", "latency", "success"]);
}

#[test]
fn stats_draws_any_column() {
    let desk = Desk::with("");
    let rows: String = (0..50).map(|row: u64| format!("{},{}\n", ["a", "b"][row as usize % 2], row * 7 % 40)).collect();
    desk.write("m.csv", format!("system,ms\n{rows}"));
    let Finished { code, stderr, .. } = desk.byzlab("stats m.csv --column ms --unit ms --by system --plots p");
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(pictures(&desk, "p"), ["ecdf", "histogram", "quantiles"]);
    assert!(desk.read("p/ecdf.svg").contains("system = b") && desk.read("p/ecdf.svg").contains("ms [ms]"));
    desk.write("m.csv", format!("system,ms\n{}", rows.repeat(40)));
    let few = desk.byzlab("stats m.csv --column ms --by system --exact 10 --plots q");
    assert!(few.stderr.contains("not drawn: 2 of the groups"), "{}", few.stderr);
}
