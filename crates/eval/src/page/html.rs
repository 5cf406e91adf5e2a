//! Elements beside those that `jarre-report` writes. Names and classes are literals; every text goes through [`visible`].

use jarre_report::{Html, percent_encoded, visible};

/// An element around others.
pub(super) fn element(name: &'static str, class: &'static str, children: impl IntoIterator<Item = Html>) -> Html {
    let mut content = String::new();
    for child in children {
        content.push_str(child.as_str());
    }
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    Html::trusted(format!("<{name}{class}>{content}</{name}>"))
}

/// An element of text alone.
pub(super) fn leaf(name: &'static str, class: &'static str, text: &str) -> Html {
    element(name, class, [Html::text(&visible(text))])
}

/// A link to an item of the matrix. `metric` and `item` may hold anything.
pub(super) fn item_link(metric: &str, item: &str) -> Html {
    let address = format!("#metric={}&item={}", percent_encoded(metric), percent_encoded(item));
    Html::trusted(format!("<a href=\"{}\"><bdi>{}</bdi></a>", Html::text(&address), Html::text(&visible(item))))
}

/// A dot in the colour that charts give the variant.
pub(super) fn swatch(variant: usize) -> Html {
    let color = variant % 8;
    Html::trusted(format!(
        "<svg class=\"chart swatch\" viewBox=\"0 0 10 10\" aria-hidden=\"true\"><g class=\"s{color}\"><circle cx=\"5\" cy=\"5\" r=\"5\" fill=\"currentColor\"/></g></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_any_id() {
        let link = item_link("f1", "a&b=\"ä</a>\u{202e}");
        let expected =
            "<a href=\"#metric=f1&amp;item=a%26b%3D%22%C3%A4%3C%2Fa%3E%E2%80%AE\"><bdi>a&amp;b=&quot;ä&lt;/a&gt;⟨U+202E⟩</bdi></a>";
        assert_eq!(link.as_str(), expected);
        assert_eq!(leaf("b", "x", "<i>").as_str(), "<b class=\"x\">&lt;i&gt;</b>");
    }
}
