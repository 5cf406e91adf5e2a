use serde_json::Value;

use super::Schema;
use crate::json::Check;

impl Check for Schema {
    fn schema(&self) -> &Value {
        self.source()
    }

    fn violations(&self, document: &Value) -> Vec<String> {
        self.validate(document).iter().map(ToString::to_string).collect()
    }
}
