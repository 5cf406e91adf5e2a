use std::{collections::BTreeMap, fmt, sync::Arc};

use jarre_core::{Tool, ToolSpec};

use crate::tools::Redacted;

/// The tools of a run, by name.
#[derive(Clone, Default)]
pub struct Toolbox(BTreeMap<String, Arc<dyn Tool>>);

impl Toolbox {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tool; one of the same name gives way.
    pub fn with(mut self, tool: impl Tool + 'static) -> Self {
        self.0.insert(tool.spec().name.clone(), Arc::new(tool));
        self
    }

    /// Takes secrets out of what the tools return that are in it so far, before the model and the log see it: every text of an output passes through
    /// `redact`. Not done unless it is asked for, because a model cannot edit a text that it reads redacted.
    ///
    /// ```
    /// use jarre_agent::{Toolbox, tools::Retrieve};
    ///
    /// let notes = Retrieve::new("the notes", |_query, _limit, _context| Ok(Vec::new()));
    /// // In earnest, the function is `Redactor::redact` of `jarre_guardrails::log`.
    /// let toolbox = Toolbox::new().with(notes).redacting(|text| *text = text.replace("hunter2", "[password]"));
    /// assert_eq!(toolbox.specs()[0].name, "retrieve");
    /// ```
    pub fn redacting(mut self, redact: impl Fn(&mut String) + Send + Sync + 'static) -> Self {
        let redact: Arc<dyn Fn(&mut String) + Send + Sync> = Arc::new(redact);
        for tool in self.0.values_mut() {
            *tool = Arc::new(Redacted::new(Arc::clone(tool), Arc::clone(&redact)));
        }
        self
    }

    /// The tool of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Tool>> {
        self.0.get(name)
    }

    /// What the model is told, in the order of the names.
    pub fn specs(&self) -> Vec<ToolSpec> {
        self.0.values().map(|tool| tool.spec().clone()).collect()
    }
}

impl fmt::Debug for Toolbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
