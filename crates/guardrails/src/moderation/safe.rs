use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Category;
use crate::{Effect, Finding};

/// What is answered in the place of what was blocked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SafeConfig {
    /// Answers by category; one that is not named has the answer that comes with the crate, in English.
    pub answers: BTreeMap<Category, String>,
}

/// Answers that say what is refused and what can be had instead, and for self-harm where help is.
#[derive(Clone, Debug, Default)]
pub struct SafeCompletions {
    config: SafeConfig,
}

/// The one that is answered where several were blocked comes first: help before all else.
const ORDER: [Category; 8] = [
    Category::SelfHarm,
    Category::SexualMinors,
    Category::HateThreatening,
    Category::ViolenceGraphic,
    Category::Violence,
    Category::Hate,
    Category::Harassment,
    Category::Sexual,
];

impl SafeCompletions {
    /// Answers by `config`.
    pub fn new(config: SafeConfig) -> Self {
        Self { config }
    }

    /// The answer to what was blocked among `found`; `None` where no category was.
    pub fn answer(&self, found: &[Finding]) -> Option<&str> {
        let blocked = |category: &&Category| found.iter().any(|found| found.effect == Effect::Block && found.label == category.name());
        ORDER.iter().find(blocked).map(|&category| self.text(category))
    }

    /// The answer for one category.
    pub fn text(&self, category: Category) -> &str {
        self.config.answers.get(&category).map_or_else(|| ours(category), String::as_str)
    }
}

/// 988 is the Suicide and Crisis Lifeline of the United States; 116 123 is the European Union's number for emotional support, and that of
/// Samaritans in the United Kingdom and Ireland; findahelpline.com lists lines by country.
fn ours(category: Category) -> &'static str {
    match category {
        Category::SelfHarm => {
            "I am sorry that it hurts this much, and I am glad that you put it into words. You do not have to carry it alone. If you might act on it \
             now, please call your emergency number or go to someone who can stay with you. In the United States you can call or text 988 at any \
             hour; in the United Kingdom, in Ireland and in many other European countries 116 123 is free to call; for anywhere else, \
             findahelpline.com lists people to call or write to. I cannot help with ways to get hurt, but I can listen, help you find words for \
             someone you trust, or think with you about how to get through the next hour."
        }
        Category::SexualMinors => {
            "I cannot help with anything that makes a child or a teenager sexual. If a child is in danger, please tell the police or a child \
             protection service where you live. If you are worried about your own thoughts, there are confidential services that help without \
             judging; I can explain how to look for one."
        }
        Category::Sexual => {
            "I cannot write sexually explicit content here. I can help with questions about health, relationships, consent or contraception, or \
             with a love story that leaves the bedroom door closed."
        }
        Category::HateThreatening => {
            "I cannot help with threats or violence against people for who they are. If something happened that made you angry, I can help you \
             describe it, report it or answer it. If you know of a planned attack, please tell the police."
        }
        Category::Hate => {
            "I cannot write what demeans people for who they are. I can help you argue against an idea, a policy or an act, or explain where \
             a prejudice comes from and what is known about it."
        }
        Category::Harassment => {
            "I cannot help to insult, frighten or expose someone. I can help you say firmly what bothers you, set a boundary, or \
             gather what you need to report how someone treats you."
        }
        Category::ViolenceGraphic => {
            "I cannot describe injuries or cruelty in such detail. I can tell what happened soberly, help with a scene that leaves the worst to the \
             reader, or explain first aid."
        }
        Category::Violence => {
            "I cannot help with hurting anyone. I can help to calm a conflict, to think about safety, or with history, news and fiction \
             in which violence has consequences. If someone is in danger now, please call your emergency number."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_has_an_answer_of_its_own() {
        let safe = SafeCompletions::default();
        for category in Category::ALL {
            assert!(ORDER.contains(&category));
            assert!(Category::ALL.iter().all(|&other| other == category || safe.text(other) != safe.text(category)));
            let found = [Finding { span: 0..1, label: category.name().into(), score: 0.9, effect: Effect::Block }];
            assert_eq!(safe.answer(&found), Some(safe.text(category)));
        }
    }

    #[test]
    fn no_number_is_invented() {
        let numbers =
            |text: &str| text.split(|char: char| !char.is_ascii_digit() && char != ' ').map(str::trim).filter(|it| !it.is_empty()).count();
        let safe = SafeCompletions::default();
        assert_eq!(numbers(safe.text(Category::SelfHarm)), 2);
        assert!(["988", "116 123", "findahelpline.com"].iter().all(|known| safe.text(Category::SelfHarm).contains(known)));
        assert!(Category::ALL.iter().filter(|it| **it != Category::SelfHarm).all(|&category| numbers(safe.text(category)) == 0));
    }

    #[test]
    fn help_comes_first_and_notes_are_not_answered() {
        let found = |category: Category, effect| Finding { span: 0..1, label: category.name().into(), score: 0.5, effect };
        let config = SafeConfig { answers: [(Category::SelfHarm, "help".to_owned())].into() };
        let safe = SafeCompletions::new(config);
        assert_eq!(safe.answer(&[found(Category::Violence, Effect::Block), found(Category::SelfHarm, Effect::Block)]), Some("help"));
        assert_eq!(safe.answer(&[found(Category::SelfHarm, Effect::Note)]), None);
        assert_eq!(safe.answer(&[Finding::certain(0..1, "email", Effect::Block)]), None);
    }
}
