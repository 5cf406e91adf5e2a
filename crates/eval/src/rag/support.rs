use super::RagJudge;
use crate::judge::Unjudged;

/// Whether each statement follows from `premise`. What the judge did not say, or said both ways, does not. Nothing follows from nothing, and
/// nobody is asked about nothing.
pub(super) async fn supported(judge: &dyn RagJudge, premise: &str, statements: &[String]) -> Result<Vec<bool>, Unjudged> {
    if statements.is_empty() || premise.trim().is_empty() {
        return Ok(vec![false; statements.len()]);
    }
    let verdicts = judge.supported(premise, statements).await?;
    if verdicts.len() != statements.len() {
        return Err(Unjudged::Unreadable(format!("the judge gave {} verdicts on {} statements", verdicts.len(), statements.len())));
    }
    Ok(verdicts.into_iter().map(|verdict| verdict == Some(true)).collect())
}

/// How many are true.
pub(super) fn count(verdicts: &[bool]) -> usize {
    verdicts.iter().filter(|verdict| **verdict).count()
}

/// What the statements without support are, for explanations.
pub(super) fn listed(statements: &[String], verdicts: &[bool]) -> String {
    let without: Vec<&str> = statements.iter().zip(verdicts).filter(|(_, is)| !**is).map(|(statement, _)| statement.as_str()).collect();
    if without.is_empty() { String::new() } else { format!("; not supported: {}", without.join(" | ")) }
}
