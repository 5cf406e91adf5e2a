use jarre_core::{BoxFuture, ChatModel};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Handling, JudgeId, Pair, PairJudge, Preference, Untrusted, Vote,
    ask::{Asker, Inquiry},
    json::whole_object,
    llm::{MAX_CHARS, TRUST},
    verdict::{Unjudged, last_mark},
};
use crate::{Error, Result};

/// Asks a model which of two answers is better by a criterion: `A`, the one shown first, `B`, or neither. Hardened as
/// [`LlmJudge`](super::LlmJudge) is.
#[derive(Clone, Debug)]
pub struct LlmPairJudge<M> {
    asker: Asker<M>,
    name: String,
    criterion: String,
    id: JudgeId,
}

impl<M: ChatModel> LlmPairJudge<M> {
    /// A judge of what `criterion` says, in words for a careful reader; `name` is what people call it.
    ///
    /// # Errors
    /// [`Error::InvalidJudge`] without a name or a criterion.
    pub fn new(model: M, name: impl Into<String>, criterion: impl Into<String>) -> Result<Self> {
        let (name, criterion) = (name.into(), criterion.into());
        if name.trim().is_empty() || criterion.trim().is_empty() {
            return Err(Error::InvalidJudge("it needs a name and a criterion".into()));
        }
        Ok(Self { asker: Asker::new(model), name, criterion, id: JudgeId::default() }.identified())
    }

    /// Seeds the model and the fences; 0 unless set.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.asker.seed = seed;
        self.identified()
    }

    /// Lets the model write this many tokens; 1,024 unless set.
    pub fn with_max_tokens(mut self, max_tokens: u32) -> Self {
        self.asker.max_tokens = max_tokens;
        self.identified()
    }

    fn identified(mut self) -> Self {
        let [provider, model, format, seed, max_tokens] = self.asker.parts();
        let prompt = self.instructions();
        self.id =
            JudgeId::new(format!("{}[llm:{model}]", self.name), &["llm pair", &provider, &model, &format, &seed, &max_tokens, &prompt]);
        self
    }

    fn instructions(&self) -> String {
        let ending = if self.asker.keeps_schema() {
            "Reply with a JSON object: \"reason\", your reasons in a few sentences, then \"verdict\": \"A\", \"B\" or \"tie\"."
        } else {
            "Write your reasons in a few sentences, then on a line of its own your verdict: [[A]], [[B]] or [[tie]]."
        };
        let criterion = &self.criterion;
        format!(
            "You compare two answers to one question, answer A and answer B, by one criterion.\n\nCriterion: {criterion}\nWhich is shown first \
             says nothing about which is better. Answers that meet the criterion equally well are a tie.\n\n{TRUST}\n\n{ending}"
        )
    }

    async fn vote(&self, pair: &Pair, repeat: u32) -> Vote {
        let (user, handling) = self.exhibit(pair);
        let schema = json!({
            "type": "object",
            "properties": {"reason": {"type": "string"}, "verdict": {"type": "string", "enum": ["A", "B", "tie"]}},
            "required": ["reason", "verdict"],
            "additionalProperties": false,
        });
        let mut vote = Vote { preference: Ok(Preference::Tie), reason: None, handling, usage: jarre_core::Usage::default() };
        let inquiry = Inquiry { system: self.instructions(), user, name: "preference", schema };
        let read = match self.asker.ask(inquiry, repeat).await {
            Ok(reply) => {
                vote.usage = reply.usage;
                reply.explain(self.read(&reply.text))
            }
            Err(unjudged) => Err(unjudged),
        };
        vote.preference = read.map(|(preference, reason)| {
            vote.reason = reason;
            preference
        });
        vote
    }

    fn exhibit(&self, pair: &Pair) -> (String, Handling) {
        let quote = |title: &str, text: &str| Untrusted::new(title, text, self.asker.seed, MAX_CHARS);
        let (first, second) = (quote("answer A", &pair.first), quote("answer B", &pair.second));
        let handling = first.handling().and(second.handling());
        let mut texts = vec![quote("question", &pair.question)];
        texts.extend(pair.context.as_deref().map(|context| quote("context", context)));
        texts.extend(pair.reference.as_deref().map(|reference| quote("reference answer", reference)));
        texts.extend([first, second]);
        let texts: Vec<&str> = texts.iter().map(Untrusted::as_str).collect();
        (texts.join("\n\n"), handling)
    }

    fn read(&self, reply: &str) -> Result<(Preference, Option<String>), Unjudged> {
        if !self.asker.keeps_schema() {
            return Ok((last_mark(reply, MENU, read_preference)?, Some(reply.trim().to_owned())));
        }
        let object = whole_object(reply).ok_or_else(|| Unjudged::Unreadable("the judge's reply is no JSON object".into()))?;
        let verdict = &object["verdict"];
        let preference = verdict.as_str().and_then(read_preference);
        let off_menu = || Unjudged::Unreadable(format!("the judge's verdict {verdict} is not one of {MENU}"));
        Ok((preference.ok_or_else(off_menu)?, object["reason"].as_str().map(str::to_owned)))
    }
}

impl<M: ChatModel> PairJudge for LlmPairJudge<M> {
    fn id(&self) -> &JudgeId {
        &self.id
    }

    fn prefer<'a>(&'a self, pair: &'a Pair, repeat: u32) -> BoxFuture<'a, Vote> {
        Box::pin(self.vote(pair, repeat))
    }
}

const MENU: &str = "A, B, tie";

fn read_preference(mark: &str) -> Option<Preference> {
    match mark.trim().to_ascii_lowercase().as_str() {
        "a" => Some(Preference::First),
        "b" => Some(Preference::Second),
        "tie" => Some(Preference::Tie),
        _ => None,
    }
}

/// Shows a pair both ways round. Who wins both times wins; a judge that changes its mind with the order has none, and it is a tie (the rule
/// of MT-bench, arXiv 2306.05685).
#[derive(Clone, Debug)]
pub struct BothOrders<J> {
    judge: J,
}

/// What a judge said of a pair in both orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairJudgement {
    /// Who said it.
    pub judge: JudgeId,
    /// What it said of the pair as given.
    pub given: Vote,
    /// What it said of the pair the other way round; its preference is turned back, so that `First` is the pair's first here too.
    pub swapped: Vote,
    /// The winner, a tie, or why there is no verdict.
    pub preference: Result<Preference, Unjudged>,
}

impl<J: PairJudge> BothOrders<J> {
    /// Shows pairs to `judge`.
    pub fn new(judge: J) -> Self {
        Self { judge }
    }

    /// What the judge says of `pair`, in two calls.
    pub async fn compare(&self, pair: &Pair, repeat: u32) -> PairJudgement {
        let given = self.judge.prefer(pair, repeat).await;
        let mut swapped = self.judge.prefer(&pair.swapped(), repeat).await;
        swapped.preference = swapped.preference.map(Preference::swapped);
        let preference = match (&given.preference, &swapped.preference) {
            (Ok(given), Ok(swapped)) if given == swapped => Ok(*given),
            (Ok(_), Ok(_)) => Ok(Preference::Tie),
            (Err(unjudged), _) | (_, Err(unjudged)) => Err(unjudged.clone()),
        };
        PairJudgement { judge: self.judge.id().clone(), given, swapped, preference }
    }
}

impl PairJudgement {
    /// Whether both orders gave the same; `None` where one gave nothing.
    pub fn is_consistent(&self) -> Option<bool> {
        Some(self.given.preference.as_ref().ok()? == self.swapped.preference.as_ref().ok()?)
    }

    /// How often, of the two showings, the answer shown first and the one shown last won.
    pub(crate) fn wins_by_place(&self) -> (usize, usize) {
        let votes = [self.given.preference.as_ref().ok().copied(), self.swapped.preference.as_ref().ok().map(|vote| vote.swapped())];
        let count = |wanted| votes.iter().filter(|vote| **vote == Some(wanted)).count();
        (count(Preference::First), count(Preference::Second))
    }
}

#[cfg(test)]
mod tests {
    use jarre_core::{Error as CoreError, ErrorKind, ModelInfo, testing::ScriptedModel};
    use pollster::block_on;

    use super::*;

    fn compare(replies: [&str; 2]) -> PairJudgement {
        let model = ScriptedModel::new().with_info(ModelInfo::new("jarre", "plain")).with_text(replies[0]).with_text(replies[1]);
        let judge = LlmPairJudge::new(model, "helpfulness", "Which helps more?").unwrap();
        block_on(BothOrders::new(judge).compare(&Pair::new("q", "one", "two"), 0))
    }

    #[test]
    fn only_a_winner_of_both_orders_wins() {
        for (replies, preference, consistent, by_place) in [
            (["[[A]]", "[[B]]"], Preference::First, true, (1, 1)),
            (["[[B]]", "[[A]]"], Preference::Second, true, (1, 1)),
            (["[[A]]", "[[a]]"], Preference::Tie, false, (2, 0)),
            (["[[B]]", "[[B]]"], Preference::Tie, false, (0, 2)),
            (["[[tie]]", "[[ Tie ]]"], Preference::Tie, true, (0, 0)),
            (["[[A]]", "[[tie]]"], Preference::Tie, false, (1, 0)),
        ] {
            let judged = compare(replies);
            assert_eq!((&judged.preference, judged.is_consistent()), (&Ok(preference), Some(consistent)), "{replies:?}");
            assert_eq!(judged.wins_by_place(), by_place, "{replies:?}");
        }
    }

    #[test]
    fn swapping_the_pair_swaps_the_preference() {
        for [given, swapped] in [["A", "B"], ["B", "B"], ["A", "tie"], ["B", "A"]].map(|marks| marks.map(|mark| format!("[[{mark}]]"))) {
            let forth = compare([&given, &swapped]);
            let back = compare([&swapped, &given]);
            assert_eq!(forth.preference.unwrap().swapped(), back.preference.unwrap());
        }
    }

    #[test]
    fn without_a_verdict_in_one_order_there_is_none() {
        for replies in [["[[A]]", "[[C]]"], ["", "[[A]]"]] {
            let judged = compare(replies);
            assert!(matches!(judged.preference, Err(Unjudged::Unreadable(_))), "{replies:?}");
            assert_eq!(judged.is_consistent(), None);
        }
        let model =
            ScriptedModel::new().with_text(r#"{"reason": "", "verdict": "A"}"#).with_error(CoreError::new(ErrorKind::Timeout, "late"));
        let judge = BothOrders::new(LlmPairJudge::new(model, "n", "c").unwrap());
        let judged = block_on(judge.compare(&Pair::new("q", "one", "two"), 0));
        assert_eq!(judged.given.preference, Ok(Preference::First));
        assert!(matches!(judged.preference, Err(Unjudged::Unreachable(_))));
        assert_eq!(serde_json::from_value::<PairJudgement>(serde_json::to_value(&judged).unwrap()).unwrap(), judged);
    }

    #[test]
    fn the_answers_change_places_and_nothing_else() {
        let model = ScriptedModel::new().with_text("{}").with_text("{}");
        let judge = BothOrders::new(LlmPairJudge::new(model, "n", "c").unwrap());
        block_on(judge.compare(&Pair::new("q", "one", "two").with_context("ctx"), 0));
        let shown = |index: usize| {
            let text = judge.judge.asker.model.requests()[index].messages[1].text();
            text.lines().filter_map(|line| line.strip_prefix("| ").map(str::to_owned)).collect::<Vec<_>>()
        };
        assert_eq!(
            (shown(0), shown(1)),
            (
                vec!["q", "ctx", "one", "two"].into_iter().map(str::to_owned).collect(),
                vec!["q", "ctx", "two", "one"].into_iter().map(str::to_owned).collect()
            )
        );
    }
}
