use crate::schema::graph::{Bound, Node};

/// The demand as words that follow the place.
pub(super) fn tell(node: &Node, keyword: &str) -> String {
    let names = |names: &mut dyn Iterator<Item = &str>| names.take(12).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let demands = &node.claim;
    let end = |bound: Option<Bound>| bound.map_or(f64::NAN, |bound| bound.at);
    let count = |size: Option<u64>| size.unwrap_or_default();
    match keyword {
        "false" => "must not be there".to_owned(),
        "type" if demands.kinds.whole => "must be an integer".to_owned(),
        "type" => "is of a type that is not allowed there".to_owned(),
        "enum" => match &demands.values {
            Some(values) if !values.strings.is_empty() => {
                format!("is none of the values allowed, as {}", names(&mut values.strings.iter().map(AsRef::as_ref)))
            }
            _ => "is none of the values allowed".to_owned(),
        },
        "maximum" => format!("must be at most {}", end(demands.maximum)),
        "minimum" => format!("must be at least {}", end(demands.minimum)),
        "multipleOf" => format!("must be a multiple of {}", count(demands.multiple)),
        "maxLength" => format!("must have at most {} characters", count(demands.length.most)),
        "minLength" => format!("must have at least {} characters", count(demands.length.least)),
        "maxItems" => format!("must have at most {} items", count(node.array.size.most)),
        "minItems" => format!("must have at least {} items", count(node.array.size.least)),
        "maxProperties" => format!("must have at most {} properties", count(node.object.size.most)),
        "minProperties" => format!("must have at least {} properties", count(node.object.size.least)),
        "required" => format!("lacks one of the properties {}", names(&mut node.object.required.iter().map(AsRef::as_ref))),
        "additionalProperties" => {
            format!("must have no properties but {}", names(&mut node.object.properties.iter().map(|(name, _)| &**name)))
        }
        _ => "cannot become valid".to_owned(),
    }
}
