//! What judges without a model are worth on real labels. Run with
//! `JARRE_DATA=<folder> cargo test -p jarre-eval --test judge_data -- --ignored --nocapture`.
//!
//! A judge over a model or an entailment classifier runs through the same code; neither is at hand here.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests; the folder of test data is named by the environment")]

use std::{fs, path::PathBuf};

use jarre_core::BoxFuture;
use jarre_eval::{
    Outcome,
    judge::{
        Against, BothOrders, ByGrade, Calibration, Calibrator, Case, Coefficient, GatePolicy, Judge, JudgeId, Judgement, LabelledAnswer,
        LabelledPair, LexicalJudge, Pair, PairCalibration, Preference, Rate, Repeats, Scale,
    },
};
use pollster::block_on;
use serde_json::Value;

fn read(file: &str) -> Vec<Value> {
    let data = std::env::var("JARRE_DATA").expect("JARRE_DATA names the folder of test data");
    let text = fs::read_to_string(PathBuf::from(data).join(file)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap()
}

/// A judge that is made of a function.
struct Rule {
    id: JudgeId,
    scale: Scale,
    grade: Box<dyn Fn(&Case) -> f64 + Send + Sync>,
}

impl Rule {
    fn new(name: &str, scale: Scale, grade: impl Fn(&Case) -> f64 + Send + Sync + 'static) -> Self {
        Self { id: JudgeId::new(name, &[]), scale, grade: Box::new(grade) }
    }

    /// The shorter, the better.
    fn shorter() -> Self {
        Self::new("shorter[length]", Scale::Unit, |case| 1.0 / (1.0 + length(&case.answer) as f64))
    }
}

impl Judge for Rule {
    fn id(&self) -> &JudgeId {
        &self.id
    }

    fn scale(&self) -> Scale {
        self.scale
    }

    fn judge<'a>(&'a self, case: &'a Case, _: u32) -> BoxFuture<'a, Judgement> {
        Box::pin(async move { Judgement::new(self, Outcome::of((self.grade)(case))) })
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn percent(rate: Rate) -> String {
    let share = rate.share().map_or("-".into(), |share| format!("{:.1}", 100.0 * share));
    format!("{share} ({:.1} to {:.1})", 100.0 * rate.interval.low, 100.0 * rate.interval.high)
}

fn with_bounds(kappa: Option<Coefficient>) -> String {
    kappa.map_or("undefined".into(), |kappa| format!("{:.2} ({:.2} to {:.2})", kappa.value, kappa.interval.low, kappa.interval.high))
}

fn balanced(calibration: &Calibration) -> f64 {
    f64::midpoint(calibration.tpr.share().unwrap(), calibration.tnr.share().unwrap())
}

fn labelled(item: String, label: f64, case: &Case, judge: &dyn Judge) -> LabelledAnswer {
    let judgements = Repeats { judgements: vec![block_on(judge.judge(case, 0))] };
    LabelledAnswer { item, label, length: length(&case.answer), judgements }
}

/// The questions of both files: each is asked in both, with two hallucinated answers, so that intervals over all pairs are a little narrow.
fn qa() -> Vec<Value> {
    let files = ["qa_one-turn_data.json", "qa_multi-turn_data.json"];
    let rows: Vec<Value> = files.iter().flat_map(|file| read(&format!("rag/halueval/generation/qa/{file}"))).collect();
    assert_eq!(rows.len(), 1_000);
    rows
}

/// Each right answer (label 1) and each hallucinated one (label 0), given the knowledge.
fn grade_qa(rows: &[Value], judge: &dyn Judge, pass_mark: f64) -> Calibration {
    let graded = |index: usize, row: &Value, field: &str, label: f64| {
        let case = Case::new(text(row, "question"), text(row, field)).with_context(text(row, "knowledge"));
        labelled(format!("{index}/{field}"), label, &case, judge)
    };
    let both = |(index, row): (usize, &Value)| [graded(index, row, "right_answer", 1.0), graded(index, row, "hallucinated_answer", 0.0)];
    let answers: Vec<LabelledAnswer> = rows.iter().enumerate().flat_map(both).collect();
    Calibrator::default().with_pass_mark(pass_mark).answers(&answers).unwrap()
}

/// Which of the two is right. Every other pair is turned round, so that no place is the right one.
fn compare_qa(rows: &[Value], judge: &dyn Judge) -> PairCalibration {
    let judge = BothOrders::new(ByGrade::new(judge));
    let compared = |(index, row): (usize, &Value)| {
        let pair = Pair::new(text(row, "question"), text(row, "right_answer"), text(row, "hallucinated_answer"));
        let pair = pair.with_context(text(row, "knowledge"));
        let (pair, label) = if index % 2 == 0 { (pair, Preference::First) } else { (pair.swapped(), Preference::Second) };
        LabelledPair {
            item: index.to_string(),
            label,
            first_length: length(&pair.first),
            second_length: length(&pair.second),
            judgement: block_on(judge.compare(&pair, 0)),
        }
    };
    Calibrator::default().pairs(&rows.iter().enumerate().map(compared).collect::<Vec<_>>()).unwrap()
}

/// The pairs of which neither is more than half as long again as the other.
fn of_like_length(rows: &[Value]) -> Vec<Value> {
    let alike = |row: &&Value| {
        let (right, wrong) = (length(text(row, "right_answer")), length(text(row, "hallucinated_answer")));
        2 * right.max(wrong) <= 3 * right.min(wrong)
    };
    rows.iter().filter(alike).cloned().collect()
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn halueval_right_answers_against_hallucinated_ones() {
    let rows = qa();
    let alike = of_like_length(&rows);
    let judges: [(&str, Box<dyn Judge>, f64); 5] = [
        ("containment in the knowledge", Box::new(LexicalJudge::containment(Against::Context)), 0.5),
        ("the same, question left out", Box::new(LexicalJudge::containment(Against::Context).without_question()), 0.5),
        ("overlap with the knowledge", Box::new(LexicalJudge::overlap(Against::Context)), 0.5),
        ("overlap with the question", Box::new(LexicalJudge::overlap(Against::Question)), 0.5),
        ("the shorter one", Box::new(Rule::shorter()), 1.0 / 31.0),
    ];
    println!(
        "| judge | right one preferred, % | of {} of like length | longer preferred, % | balanced accuracy, % | TPR, % | TNR, % | kappa | kappa by length alone | unscored pairs |",
        alike.len()
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let mut figures = Vec::new();
    for (name, judge, pass_mark) in &judges {
        let (pairs, graded, alike) = (compare_qa(&rows, judge), grade_qa(&rows, judge, *pass_mark), compare_qa(&alike, judge));
        let cells =
            [percent(pairs.accuracy), percent(alike.accuracy), percent(pairs.prefers_longer), format!("{:.1}", 100.0 * balanced(&graded))];
        let more = [
            percent(graded.tpr),
            percent(graded.tnr),
            with_bounds(graded.kappa),
            format!("{:.2}", graded.length_kappa.unwrap()),
            pairs.unscored.to_string(),
        ];
        println!("| {name} | {} | {} |", cells.join(" | "), more.join(" | "));
        assert_eq!(pairs.position_consistency.share(), Some(1.0), "grades know no places");
        assert!(!graded.gate(judge.id(), &GatePolicy::default()).is_open(), "no judge of words may decide");
        figures.push((pairs, graded));
    }
    println!("the right answer is the longer one in {} % of the pairs", percent(figures[0].0.labels_prefer_longer));
    assert!(figures[0].0.accuracy.interval.low > 0.8, "a judge of containment tells most pairs apart");
    assert!(balanced(&figures[1].1) > 0.75, "without the question's words it grades single answers too");
    assert!(figures[4].0.accuracy.interval.low > 0.9, "and so does length alone, which is why the pairs prove little");
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn halueval_responses_without_knowledge() {
    let rows = read("rag/halueval/data/general_data.json");
    assert_eq!(rows.len(), 4_507);
    let judges: [(&str, Box<dyn Judge>, f64); 3] = [
        ("containment in the query", Box::new(LexicalJudge::containment(Against::Question)), 0.25),
        ("overlap with the query", Box::new(LexicalJudge::overlap(Against::Question)), 0.25),
        ("the shorter one", Box::new(Rule::shorter()), 1.0 / 501.0),
    ];
    println!("| judge | balanced accuracy, % | TPR, % | TNR, % | kappa | correlation with log length | that of the labels |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (name, judge, pass_mark) in &judges {
        let answer = |row: &Value| {
            let case = Case::new(text(row, "user_query"), text(row, "chatgpt_response"));
            let label = f64::from(u8::from(text(row, "hallucination") == "no"));
            labelled(text(row, "ID").to_owned(), label, &case, judge)
        };
        let answers: Vec<LabelledAnswer> = rows.iter().map(answer).collect();
        let graded = Calibrator::default().with_pass_mark(*pass_mark).answers(&answers).unwrap();
        let by_length =
            [graded.length_correlation, graded.label_length_correlation].map(|correlation| format!("{:.2}", correlation.unwrap()));
        let (tpr, tnr, kappa) = (percent(graded.tpr), percent(graded.tnr), with_bounds(graded.kappa));
        println!("| {name} | {:.1} | {tpr} | {tnr} | {kappa} | {} |", 100.0 * balanced(&graded), by_length.join(" | "));
        assert!(graded.kappa.unwrap().interval.high < 0.2, "words alone say next to nothing of facts");
        assert_eq!(graded.n - graded.unscored, graded.tpr.trials as usize + graded.tnr.trials as usize);
    }
}

/// Question and answer of the last turn, cut out of the prompt that GPT-4 was shown.
fn last_turn(prompt: &str) -> (&str, &str) {
    let between = |begin: &str, end: &str| {
        let (_, rest) = prompt.rsplit_once(begin)?;
        Some(rest.split_once(end)?.0.trim())
    };
    let several = between("### User:", "### Assistant A:").zip(between("### Assistant A:", "<|The End of Assistant A's Conversation"));
    let single =
        between("[Question]", "[The Start of").zip(between("[The Start of Assistant's Answer]", "[The End of Assistant's Answer]"));
    several.or(single).unwrap()
}

/// `None` where one side does not vary.
fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let n = pairs.len() as f64;
    let (x, y) = pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0 / n, sum.1 + pair.1 / n));
    let sum = |term: fn(f64, f64) -> f64| pairs.iter().map(|pair| term(pair.0 - x, pair.1 - y)).sum::<f64>();
    let scale = (sum(|x, _| x * x) * sum(|_, y| y * y)).sqrt();
    (scale > 1e-9).then(|| sum(|x, y| x * y) / scale)
}

/// On one to ten.
fn stretched(share: f64) -> f64 {
    (1.0 + 9.0 * share).round().clamp(1.0, 10.0)
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn mt_bench_single_scores_of_gpt_4() {
    let rows = read("router/mt_bench_judgements.jsonl");
    assert_eq!(rows.len(), 320);
    let cases: Vec<(String, f64, Case)> = rows
        .iter()
        .map(|row| {
            let (question, answer) = last_turn(text(row, "user_prompt"));
            let item = format!("{}/{}/{}", row["question_id"], text(row, "model"), row["turn"]);
            (item, row["score"].as_f64().unwrap(), Case::new(question, answer))
        })
        .filter(|(_, score, _)| Scale::OneToTen.has(*score))
        .collect();
    println!("{} of {} scores are whole", cases.len(), rows.len());
    assert_eq!(cases.len(), 318);
    let overlap = LexicalJudge::overlap(Against::Question);
    let judges = [
        Rule::new("overlap with the question", Scale::OneToTen, move |case| {
            stretched(block_on(overlap.judge(case, 0)).value().unwrap_or(0.0))
        }),
        Rule::new("longer is better", Scale::OneToTen, |case| stretched((1.0 + length(&case.answer) as f64).ln() / 3_000_f64.ln())),
        Rule::new("always 10", Scale::OneToTen, |_| 10.0),
    ];
    println!(
        "| judge | correlation with GPT-4 | weighted kappa | alpha (ordinal) | accuracy of passing (6 and more), % | kappa of passing |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    for judge in &judges {
        let answers: Vec<LabelledAnswer> = cases.iter().map(|(item, score, case)| labelled(item.clone(), *score, case, judge)).collect();
        let figures: Vec<(f64, f64)> = answers.iter().map(|answer| (answer.label, answer.judgements.mean().unwrap())).collect();
        let graded = Calibrator::default().answers(&answers).unwrap();
        let (weighted, kappa) = (with_bounds(graded.weighted_kappa), with_bounds(graded.kappa));
        let alpha = graded.alpha.unwrap();
        let correlation = correlation(&figures).map_or("undefined".into(), |correlation| format!("{correlation:.2}"));
        println!("| {} | {correlation} | {weighted} | {alpha:.2} | {} | {kappa} |", judge.id().name, percent(graded.accuracy));
        assert!(graded.weighted_kappa.is_none_or(|kappa| kappa.interval.high < 0.6), "such a judge must not pass for GPT-4");
        assert!(!graded.gate(judge.id(), &GatePolicy::default()).is_open());
    }
}
