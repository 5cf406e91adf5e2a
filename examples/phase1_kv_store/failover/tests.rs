use super::*;

fn drilled(mode: Mode) -> Report {
    let args = FailoverArgs { mode: Vec::new(), seed: 4, kills: 6, nodes: 3, html: None, json: false };
    Report::new(mode, &args, drill::drill(mode.deploy(3, 4).unwrap(), args.kills, args.seed).unwrap())
}

#[test]
fn every_death_is_followed_by_a_new_leader() {
    for mode in [Mode::Naive, Mode::AsyncTerm] {
        let json = serde_json::to_value(drilled(mode)).unwrap();
        let kills = json["kills"].as_array().unwrap();
        assert_eq!(kills.len(), 6);
        for kill in kills {
            let gap = kill["gap"].as_u64().expect("somebody wrote again");
            // Nobody rises before the silence is over, and somebody does soon after it; clients need a moment to find out.
            assert!((100_000..1_200_000).contains(&gap), "{gap} us");
        }
        assert!(json["gap_p50"].as_u64() <= json["gap_p99"].as_u64());
    }
}

#[test]
fn terms_rise_with_each_death_and_have_one_leader_each() {
    let report = drilled(Mode::AsyncTerm);
    assert!(!report.two_of_one_term);
    let terms: Vec<_> = report.reigns.iter().map(|reign| reign.term.unwrap()).collect();
    assert!(terms.len() >= 7 && terms.windows(2).all(|pair| pair[0] < pair[1]), "{terms:?}");
}
