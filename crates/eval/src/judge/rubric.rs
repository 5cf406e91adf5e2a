use std::{fmt::Write as _, sync::LazyLock};

use jarre_core::{BoxFuture, ChatModel};
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Case, Judge, JudgeId, Judgement, LlmJudge, Scale,
    ask::{Asker, Inquiry},
    json::whole_object,
    llm::{self, TRUST, exhibit, read_grade},
    verdict::Unjudged,
};
use crate::{Error, Outcome, Result};

/// One of the things that a rubric looks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Criterion {
    /// What people call it.
    pub name: String,
    /// What it asks of an answer, in words for a careful reader.
    pub description: String,
    /// How much it counts beside the others; above 0.
    pub weight: f64,
}

/// Grades an answer by several criteria, each with a verdict of its own. As a [`Judge`] it gives the weighted mean of the verdicts, each
/// as a share of its scale, on [`Scale::Unit`]; without a verdict on one of them there is no mean.
///
/// One call gives all verdicts, unless [`one_call_each`](Self::one_call_each) is asked for: dearer, and no criterion colours another.
#[derive(Clone, Debug)]
pub struct RubricJudge<M> {
    asker: Asker<M>,
    name: String,
    criteria: Vec<Criterion>,
    scale: Scale,
    apart: bool,
    id: JudgeId,
}

/// What a rubric's judge said of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RubricJudgement {
    /// The verdict on each criterion, on the rubric's scale, in its order.
    pub criteria: Vec<CriterionVerdict>,
    /// Their weighted mean.
    pub overall: Judgement,
}

/// The verdict on one criterion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CriterionVerdict {
    /// The criterion.
    pub name: String,
    /// The figure, or why there is none.
    pub outcome: Outcome,
    /// The judge's reasons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Criterion {
    /// A criterion that counts once.
    pub fn new(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self { name: name.into(), description: description.into(), weight: 1.0 }
    }

    /// Lets it count `weight` times.
    pub fn with_weight(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }
}

impl<M: ChatModel> RubricJudge<M> {
    /// A judge by `criteria`, each graded on `scale`.
    ///
    /// # Errors
    /// [`Error::InvalidJudge`] without a name, criteria or their words, for weights that are not finite and above 0, and for
    /// [`Scale::Unit`].
    pub fn new(model: M, name: impl Into<String>, criteria: impl IntoIterator<Item = Criterion>, scale: Scale) -> Result<Self> {
        let (name, criteria): (String, Vec<Criterion>) = (name.into(), criteria.into_iter().collect());
        let words = criteria.iter().flat_map(|criterion| [criterion.name.as_str(), &criterion.description]);
        llm::check(&name, words, scale)?;
        if criteria.is_empty() || criteria.iter().any(|criterion| !(criterion.weight.is_finite() && criterion.weight > 0.0)) {
            return Err(Error::InvalidJudge("a rubric needs criteria, with finite weights above 0".into()));
        }
        Ok(Self { asker: Asker::new(model), name, criteria, scale, apart: false, id: JudgeId::default() }.identified())
    }

    /// Asks for each criterion by itself.
    pub fn one_call_each(mut self) -> Self {
        self.apart = true;
        self.identified()
    }

    /// Seeds the model and the fences; 0 unless set.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.asker.seed = seed;
        self.identified()
    }

    /// Lets the model write this many tokens a call; 1,024 unless set.
    pub fn with_max_tokens(mut self, max_tokens: u32) -> Self {
        self.asker.max_tokens = max_tokens;
        self.identified()
    }

    /// The verdict on each criterion, and their mean.
    pub async fn judge_criteria(&self, case: &Case, repeat: u32) -> RubricJudgement {
        let mut overall = Judgement::new(self, Outcome::Unscored(String::new()));
        let criteria =
            if self.apart { self.ask_each(case, repeat, &mut overall).await } else { self.ask_all(case, repeat, &mut overall).await };
        overall.outcome = self.mean(&criteria);
        RubricJudgement { criteria, overall }
    }

    async fn ask_each(&self, case: &Case, repeat: u32, overall: &mut Judgement) -> Vec<CriterionVerdict> {
        let mut verdicts = Vec::with_capacity(self.criteria.len());
        for Criterion { name, description, .. } in &self.criteria {
            let judge = LlmJudge::new(&self.asker.model, name, description, self.scale).expect("criteria were checked by `new`");
            let judge = judge.with_seed(self.asker.seed).with_max_tokens(self.asker.max_tokens);
            let judgement = judge.judge(case, repeat).await;
            overall.usage += judgement.usage;
            overall.handling = judgement.handling;
            verdicts.push(CriterionVerdict { name: name.clone(), outcome: judgement.outcome, reason: judgement.reason });
        }
        verdicts
    }

    async fn ask_all(&self, case: &Case, repeat: u32, overall: &mut Judgement) -> Vec<CriterionVerdict> {
        let (user, handling) = exhibit(case, self.asker.seed, llm::MAX_CHARS);
        overall.handling = handling;
        let inquiry = Inquiry { system: self.instructions(), user, name: "rubric", schema: self.schema() };
        let reply = match self.asker.ask(inquiry, repeat).await {
            Ok(reply) => reply,
            Err(unjudged) => return self.all(&unjudged),
        };
        overall.usage = reply.usage;
        if !self.asker.keeps_schema() {
            overall.reason = Some(reply.text.trim().to_owned());
            return self.verdicts(|index| reply.explain(self.read_mark(&reply.text, index)).map(|grade| (grade, None)));
        }
        match reply.explain(whole_object(&reply.text).ok_or_else(|| Unjudged::Unreadable("the judge's reply is no JSON object".into()))) {
            Ok(object) => self.verdicts(|index| self.read_member(&object[key(index)])),
            Err(unjudged) => self.all(&unjudged),
        }
    }

    fn verdicts(&self, read: impl Fn(usize) -> Result<(f64, Option<String>), Unjudged>) -> Vec<CriterionVerdict> {
        let verdict = |(index, criterion): (usize, &Criterion)| {
            let (outcome, reason) = match read(index) {
                Ok((grade, reason)) => (Outcome::Scored(grade), reason),
                Err(unjudged) => (unjudged.into(), None),
            };
            CriterionVerdict { name: criterion.name.clone(), outcome, reason }
        };
        self.criteria.iter().enumerate().map(verdict).collect()
    }

    fn all(&self, unjudged: &Unjudged) -> Vec<CriterionVerdict> {
        self.verdicts(|_| Err(unjudged.clone()))
    }

    fn read_member(&self, member: &Value) -> Result<(f64, Option<String>), Unjudged> {
        Ok((read_grade(&member["verdict"], self.scale)?, member["reason"].as_str().map(str::to_owned)))
    }

    /// The last `c1: [[4]]` of the criterion.
    fn read_mark(&self, reply: &str, index: usize) -> Result<f64, Unjudged> {
        static MARK: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(?i)\bc([0-9]{1,3})\W{0,5}[:=]\W{0,5}?\[\[([^\[\]]{0,40})\]\]").expect("the pattern is well-formed")
        });
        let marks = MARK.captures_iter(reply).map(|found| found.extract::<2>().1);
        let last = marks.filter(|[number, _]| number.parse() == Ok(index + 1)).last().map(|[_, mark]| mark.trim());
        let missing = || Unjudged::Unreadable(format!("the judge gave no verdict on {:?}", self.criteria[index].name));
        let mark = last.ok_or_else(missing)?;
        read_grade(&mark.into(), self.scale)
    }

    fn mean(&self, verdicts: &[CriterionVerdict]) -> Outcome {
        let (mut sum, mut total) = (0.0, 0.0);
        for (criterion, verdict) in self.criteria.iter().zip(verdicts) {
            match &verdict.outcome {
                Outcome::Scored(grade) => sum += criterion.weight * self.scale.share(*grade),
                Outcome::Unscored(why) => return Outcome::Unscored(format!("{}: {why}", criterion.name)),
                Outcome::Failed(why) => return Outcome::Failed(format!("{}: {why}", criterion.name)),
            }
            total += criterion.weight;
        }
        Outcome::of((sum / total).clamp(0.0, 1.0))
    }

    fn instructions(&self) -> String {
        let mut list = String::new();
        for (index, Criterion { name, description, .. }) in self.criteria.iter().enumerate() {
            writeln!(list, "{}: {name}. {description}", key(index)).expect("writing to a string cannot fail");
        }
        let range = llm::range(self.scale);
        let ending = if self.asker.keeps_schema() {
            format!("Reply with a JSON object that has, for each criterion, \"reason\" and then \"verdict\", a whole number {range}.")
        } else {
            format!(
                "For each criterion write a sentence of reasons, then on a line of its own your verdict, a whole number {range}, as c1: [[number]]."
            )
        };
        let meaning = llm::meaning(self.scale);
        format!("You grade an answer by several criteria, each by itself.\n\n{list}\nFor each of them: {meaning}\n\n{TRUST}\n\n{ending}")
    }

    fn schema(&self) -> Value {
        let verdict = json!({
            "type": "object",
            "properties": {"reason": {"type": "string"}, "verdict": llm::grade_schema(self.scale)},
            "required": ["reason", "verdict"],
            "additionalProperties": false,
        });
        let keys: Vec<String> = (0..self.criteria.len()).map(key).collect();
        let members: Map<String, Value> = keys.iter().map(|key| (key.clone(), verdict.clone())).collect();
        json!({"type": "object", "properties": members, "required": keys, "additionalProperties": false})
    }

    fn identified(mut self) -> Self {
        let [provider, model, format, seed, max_tokens] = self.asker.parts();
        let weights: Vec<String> = self.criteria.iter().map(|criterion| criterion.weight.to_string()).collect();
        let (scale, apart, weights) = (self.scale.to_string(), self.apart.to_string(), weights.join(" "));
        let prompt = self.instructions();
        self.id = JudgeId::new(
            format!("{}[llm:{model}]", self.name),
            &["rubric", &provider, &model, &format, &seed, &max_tokens, &scale, &apart, &weights, &prompt],
        );
        self
    }
}

fn key(index: usize) -> String {
    format!("c{}", index + 1)
}

impl<M: ChatModel> Judge for RubricJudge<M> {
    fn id(&self) -> &JudgeId {
        &self.id
    }

    fn scale(&self) -> Scale {
        Scale::Unit
    }

    fn judge<'a>(&'a self, case: &'a Case, repeat: u32) -> BoxFuture<'a, Judgement> {
        Box::pin(async move { self.judge_criteria(case, repeat).await.overall })
    }
}

#[cfg(test)]
mod tests {
    use jarre_core::{ModelInfo, testing::ScriptedModel};
    use pollster::block_on;

    use super::*;

    fn criteria() -> [Criterion; 2] {
        [Criterion::new("clarity", "Is it clear?"), Criterion::new("truth", "Is it true?").with_weight(3.0)]
    }

    fn rubric(model: ScriptedModel) -> RubricJudge<ScriptedModel> {
        RubricJudge::new(model, "quality", criteria(), Scale::OneToFive).unwrap()
    }

    fn plain(text: &str) -> ScriptedModel {
        ScriptedModel::new().with_info(ModelInfo::new("jarre", "plain")).with_text(text)
    }

    #[test]
    fn verdicts_are_weighed_as_shares_of_the_scale() {
        let reply = r#"{"c2": {"reason": "yes", "verdict": 5}, "c1": {"reason": "so so", "verdict": 2}}"#;
        let judged = block_on(rubric(ScriptedModel::new().with_text(reply)).judge_criteria(&Case::new("q", "a"), 0));
        assert_eq!(judged.criteria[0].outcome, Outcome::Scored(2.0));
        assert_eq!(judged.criteria[1].reason.as_deref(), Some("yes"));
        assert_eq!(judged.overall.outcome, Outcome::Scored((0.25 + 3.0) / 4.0));
    }

    #[test]
    fn one_call_each_gives_the_same() {
        let model = ScriptedModel::new().with_text(r#"{"reason": "", "verdict": 2}"#).with_text(r#"{"reason": "", "verdict": 5}"#);
        let judge = rubric(model).one_call_each();
        assert_eq!(block_on(judge.judge(&Case::new("q", "a"), 0)).outcome, Outcome::Scored(0.8125));
        let asked: Vec<String> = judge.asker.model.requests().iter().map(|request| request.messages[0].text()).collect();
        assert!(asked[0].contains("Is it clear?") && !asked[0].contains("Is it true?") && asked[1].contains("Is it true?"));
    }

    #[test]
    fn text_verdicts_are_the_last_of_each_criterion() {
        let reply = "c1: [[5]] at first\nC2: [[1]]\n**c1:** [[3]]\nc11: [[4]]";
        let judged = block_on(rubric(plain(reply)).judge_criteria(&Case::new("q", "a"), 0));
        assert_eq!(judged.criteria.iter().map(|verdict| verdict.outcome.value()).collect::<Vec<_>>(), [Some(3.0), Some(1.0)]);
    }

    #[test]
    fn one_missing_verdict_leaves_no_mean() {
        for reply in ["c1: [[5]]", "c1: [[5]] c2: [[6]]", "c2: [[1]] c1: [[]]"] {
            let judged = block_on(rubric(plain(reply)).judge_criteria(&Case::new("q", "a"), 0));
            assert!(matches!(judged.overall.outcome, Outcome::Unscored(_)), "{reply}");
            assert_eq!(judged.criteria.iter().filter(|verdict| verdict.outcome.value().is_some()).count(), 1, "{reply}");
        }
        let judged = block_on(rubric(ScriptedModel::new().with_text("[]")).judge_criteria(&Case::new("q", "a"), 0));
        assert!(judged.criteria.iter().all(|verdict| matches!(verdict.outcome, Outcome::Unscored(_))));
        let judged = block_on(rubric(ScriptedModel::new()).judge_criteria(&Case::new("q", "a"), 0));
        assert!(matches!(judged.overall.outcome, Outcome::Failed(_)));
    }

    #[test]
    fn weights_and_ways_of_asking_make_versions() {
        let base = || rubric(ScriptedModel::new());
        let [clarity, truth] = criteria();
        let reweighed = RubricJudge::new(ScriptedModel::new(), "quality", [clarity, truth.with_weight(2.0)], Scale::OneToFive).unwrap();
        let ids = [base().id, base().one_call_each().id, base().with_seed(3).id, reweighed.id];
        assert!((0..4).all(|index| !ids[..index].contains(&ids[index])));
    }

    #[test]
    fn rubrics_that_weigh_nothing_are_refused() {
        let new = |criteria: Vec<Criterion>| RubricJudge::new(ScriptedModel::new(), "n", criteria, Scale::Binary);
        assert!(new(vec![]).is_err());
        for weight in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(new(vec![Criterion::new("a", "b").with_weight(weight)]).is_err());
        }
    }
}
