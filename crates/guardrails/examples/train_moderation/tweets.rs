use std::{error::Error, fs, path::Path};

/// A tweet and what most of those who read it took it for.
pub(crate) struct Tweet {
    pub(crate) text: String,
    pub(crate) class: Class,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Class {
    Hate,
    Offensive,
    Neither,
}

/// The tweets of Davidson and others (2017), without what marks them as tweets.
pub(crate) fn tweets(data: &Path) -> Result<Vec<Tweet>, Box<dyn Error>> {
    let text = fs::read_to_string(data.join("guard/hate_speech/labeled_data.csv"))?;
    let tweet = |record: Vec<String>| -> Option<Tweet> {
        let class = match record.get(5)?.as_str() {
            "0" => Class::Hate,
            "1" => Class::Offensive,
            "2" => Class::Neither,
            _ => return None,
        };
        Some(Tweet { text: plain(record.get(6)?), class })
    };
    Ok(records(&text).into_iter().filter_map(tweet).collect())
}

/// Without retweet marks, names and addresses.
fn plain(tweet: &str) -> String {
    let tweet = tweet.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace("&#8220;", "\"").replace("&#8221;", "\"");
    let kept =
        tweet.split_whitespace().filter(|word| *word != "RT" && !word.contains('@') && !word.contains("http") && !word.starts_with("&#"));
    kept.collect::<Vec<_>>().join(" ").trim_start_matches(['!', ':', '"', ' ']).to_owned()
}

/// The records of a file of comma-separated values with quotes (RFC 4180).
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            '\r' if !quoted => {}
            other => field.push(other),
        }
    }
    records
}
