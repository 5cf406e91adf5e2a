use super::{Align, Cell, Table};
use crate::{html::Html, markup::Markup};

impl Table {
    /// A `<table>`, for a [`Page`](crate::Page), which brings its styles.
    pub fn to_html(&self) -> Html {
        let mut markup = Markup::default();
        markup.tag("div").attr("class", "scroll").open();
        markup.tag("table").open();
        if !self.caption.is_empty() {
            markup.leaf("caption", &self.caption);
        }
        markup.tag("thead").open();
        markup.tag("tr").open();
        for (column, heading) in self.columns.iter().enumerate() {
            markup.tag("th").attr("scope", "col").attr("class", self.class(column)).text(&heading.name);
        }
        markup.close();
        markup.close();
        markup.tag("tbody").open();
        for row in &self.rows {
            self.html_row(&mut markup, row);
        }
        for _ in ["tbody", "table", "div"] {
            markup.close();
        }
        markup.into_html()
    }

    fn html_row(&self, markup: &mut Markup, row: &[Cell]) {
        markup.tag("tr").open();
        for (column, cell) in row.iter().enumerate() {
            let tag = markup.tag("td").attr("class", self.class(column));
            match cell {
                // A narrow screen may break text, never a number.
                Cell::Text(text) => {
                    tag.open();
                    markup.leaf("bdi", text);
                    markup.close();
                }
                cell => tag.text(&cell.shown(self.columns[column].format)),
            }
        }
        markup.close();
    }

    fn class(&self, column: usize) -> &'static str {
        match self.side(column) {
            Align::Left => "left",
            Align::Right => "right",
            Align::Center => "center",
        }
    }
}
