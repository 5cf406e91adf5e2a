use std::collections::BTreeMap;

use jarre_core::{Permission, ToolSpec};
use jarre_guardrails::{
    json::{FixKind, Recovery, Step, Unrecovered},
    schema::{Schema, SchemaConfig, Violation},
};
use serde_json::{Value, json};

use crate::{Error, Result};

/// The call that ends a run. The loop answers it itself.
pub(crate) const FINISH: &str = "finish";

/// What the model is told of [`FINISH`] where the toolbox does not say it.
pub(crate) fn finish_spec() -> ToolSpec {
    let answer = json!({"type": "string", "description": "what was done, or the answer to the question"});
    let gave_up = json!({"type": "boolean", "description": "true where the task cannot be done; `answer` then says why"});
    let schema = json!({"type": "object", "properties": {"answer": answer, "gave_up": gave_up}, "required": ["answer"]});
    let description = "Ends the work. Call it alone, once the task is done and the tests pass, or to give up.";
    ToolSpec::new(FINISH, description, schema, Permission::Read)
}

/// The tools of a run with their schemas compiled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogue {
    specs: Vec<ToolSpec>,
    schemas: BTreeMap<String, Schema>,
}

impl Catalogue {
    pub(crate) fn new(specs: Vec<ToolSpec>) -> Result<Self> {
        let mut schemas = BTreeMap::new();
        for spec in &specs {
            let compiled = Schema::compile(&spec.parameters, &SchemaConfig::default());
            let schema = compiled.map_err(|error| Error::Invalid(format!("the tool `{}` cannot be offered: {error}", spec.name)))?;
            if schemas.insert(spec.name.clone(), schema).is_some() {
                return Err(Error::Invalid(format!("there are two tools of the name `{}`, leave one out", spec.name)));
            }
        }
        Ok(Self { specs, schemas })
    }

    pub(crate) fn specs(&self) -> &[ToolSpec] {
        &self.specs
    }

    pub(crate) fn spec(&self, name: &str) -> Option<&ToolSpec> {
        self.specs.iter().find(|spec| spec.name == name)
    }

    /// The names, for a model to choose from.
    pub(crate) fn names(&self) -> String {
        let names: Vec<String> = self.specs.iter().map(|spec| format!("`{}`", spec.name)).collect();
        names.join(", ")
    }

    /// Reads the arguments of a call of `name`: mended and fitted where that is sure. `cut` says that the answer was cut off, so that nothing
    /// is made of what is not whole.
    pub(crate) fn arguments(&self, name: &str, text: &str, cut: bool) -> Result<Value, String> {
        let Some(schema) = self.schemas.get(name) else {
            return Err(format!("there is no tool `{name}`, the tools are {}", self.names()));
        };
        let text = if text.trim().is_empty() { "{}" } else { text };
        let violations = match schema.check_text(text) {
            Ok(value) => return Ok(value),
            Err(violations) => violations,
        };
        if cut {
            return Err(format!("the answer was cut off at the token limit within the arguments of `{name}`, write less at once"));
        }
        match Recovery::default().recover(text, Some(schema)) {
            Ok(recovered) if !is_cut(&recovered.steps) => Ok(recovered.value),
            Ok(_) => Err(format!("the arguments of `{name}` break off before their end, write them whole")),
            Err(unrecovered) => Err(complaint(name, &told(schema, violations, &unrecovered))),
        }
    }
}

/// Whether a document was closed where its text ended inside a value: half a file is not to be written.
fn is_cut(steps: &[Step]) -> bool {
    let mut fixes = steps.iter().filter_map(|step| if let Step::Repair { fixes } = step { Some(fixes) } else { None }).flatten();
    fixes.any(|fix| fix.kind == FixKind::Truncated)
}

/// What the model is told: what is wrong with what it wrote, or, where that is no JSON, with the likeliest document in it.
fn told(schema: &Schema, written: Vec<Violation>, unrecovered: &Unrecovered) -> Vec<Violation> {
    match unrecovered {
        Unrecovered::Invalid { value, .. } if written.iter().any(|violation| violation.keyword == "json") => schema.validate(value),
        _ => written,
    }
}

fn complaint(name: &str, violations: &[Violation]) -> String {
    let lines: Vec<String> = violations.iter().map(|violation| format!("\n- {violation}")).collect();
    format!("the arguments of `{name}` do not fit:{}", lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        let schema =
            json!({"type": "object", "properties": {"path": {"type": "string"}, "line": {"type": "integer"}}, "required": ["path"]});
        Catalogue::new(vec![ToolSpec::new("file_read", "reads", schema, Permission::Read), finish_spec()]).unwrap()
    }

    #[test]
    fn arguments_are_mended_and_fitted() {
        let read = |text| catalogue().arguments("file_read", text, false).unwrap();
        assert_eq!(read(r#"{"path": "a"}"#), json!({"path": "a"}));
        assert_eq!(read("```json\n{path: 'a', line: '3',}\n```"), json!({"path": "a", "line": 3}));
    }

    #[test]
    fn what_is_wrong_is_told_exactly() {
        let wrong = |name, text, cut| catalogue().arguments(name, text, cut).unwrap_err();
        assert_eq!(wrong("rm", "{}", false), "there is no tool `rm`, the tools are `file_read`, `finish`");
        assert!(wrong("file_read", "", false).contains("path"));
        assert!(wrong("file_read", r#"{"path": "a", "line": "first"}"#, false).contains("`/line` must be an integer"));
        assert!(wrong("file_read", "nothing of the sort", false).starts_with("the arguments of `file_read` do not fit:"));
    }

    #[test]
    fn half_an_argument_is_not_made_whole() {
        let wrong = |text, cut| catalogue().arguments("file_read", text, cut).unwrap_err();
        assert!(wrong(r#"{"path": "src/li"#, false).contains("break off"));
        assert!(wrong(r#"{"path": "src/li"#, true).contains("cut off at the token limit"));
    }

    #[test]
    fn a_toolbox_that_cannot_be_offered_is_refused() {
        let bad = ToolSpec::new("bad", "", json!({"type": 7}), Permission::Read);
        assert!(Catalogue::new(vec![bad]).unwrap_err().to_string().contains("`bad`"));
        assert!(Catalogue::new(vec![finish_spec(), finish_spec()]).is_err());
    }
}
