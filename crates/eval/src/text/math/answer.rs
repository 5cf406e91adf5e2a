use super::{expression::Expression, lexer, parser, token::Token};

/// How deep tuples and sets may nest.
const DEEPEST: usize = 8;
/// Items of a set that are alike without being written alike, beyond which sets are not compared.
const LOOSE: usize = 64;

/// What an answer says, with the name that it gives it: `x = 5`, `x \in [1, 2]`.
pub(super) struct Answer {
    name: Option<Token>,
    tokens: Vec<Token>,
    meaning: Option<Meaning>,
}

impl Answer {
    /// `None` where its groups nest too deep.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut tokens = lexer::tokens(text)?;
        let name = match tokens.as_slice() {
            [name @ Token::Name(_), Token::Sign('='), ..] => Some(name.clone()),
            [name @ Token::Name(_), Token::Name(is), ..] if is == "in" => Some(name.clone()),
            _ => None,
        };
        if name.is_some() {
            tokens.drain(..2);
        }
        let meaning = Meaning::of(&tokens, 0);
        Some(Self { name, tokens, meaning })
    }

    /// Whether both say the same: by their meaning where both have one, else by their tokens.
    pub(super) fn same(&self, other: &Self) -> bool {
        let names = self.name.is_none() || other.name.is_none() || self.name == other.name;
        let meanings = self.meaning.as_ref().zip(other.meaning.as_ref());
        let same = meanings.is_some_and(|(left, right)| left.same(right)) || self.tokens == other.tokens;
        names && !self.tokens.is_empty() && same
    }
}

#[derive(PartialEq, Eq)]
enum Meaning {
    One(Expression),
    /// A tuple, a point, an interval, a vector: brackets and order count.
    Ordered(Token, Vec<Meaning>, Token),
    /// A set, or a list without brackets: order does not count.
    Unordered(Vec<Meaning>),
    /// Intervals of a union, in any order.
    Union(Vec<Meaning>),
}

impl Meaning {
    fn of(tokens: &[Token], depth: usize) -> Option<Self> {
        (depth <= DEEPEST).then_some(())?;
        let all = |parts: Vec<&[Token]>| parts.into_iter().map(|part| Self::of(part, depth + 1)).collect::<Option<Vec<_>>>();
        let united = split(tokens, &Token::Union);
        if united.len() > 1 {
            return Some(Self::Union(all(united)?));
        }
        let listed = split(tokens, &Token::Sign(','));
        if listed.len() > 1 {
            return Some(Self::Unordered(all(listed)?));
        }
        match tokens {
            [Token::Set('{'), inner @ .., Token::Set('}')] => Some(Self::unordered(all(split(inner, &Token::Sign(',')))?)),
            [open @ Token::Sign('(' | '['), inner @ .., close @ Token::Sign(')' | ']')] if has_list(inner) => {
                Some(Self::Ordered(open.clone(), all(split(inner, &Token::Sign(',')))?, close.clone()))
            }
            _ => parser::expression(tokens).map(Self::One),
        }
    }

    /// A set of one element is that element.
    fn unordered(mut items: Vec<Self>) -> Self {
        if items.len() == 1 { items.remove(0) } else { Self::Unordered(items) }
    }

    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::One(left), Self::One(right)) => left.same(right),
            (Self::Ordered(open, left, close), Self::Ordered(other_open, right, other_close)) => {
                let items = left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.same(right));
                open == other_open && close == other_close && items
            }
            (Self::Unordered(left), Self::Unordered(right)) | (Self::Union(left), Self::Union(right)) => same_in_any_order(left, right),
            _ => false,
        }
    }
}

/// Each of `left` finds a partner of its own in `right`. Figures that agree to nine digits may have several to choose from, so those that are
/// not written alike are paired by augmenting paths (Kuhn's algorithm): which side is asked first makes no difference.
fn same_in_any_order(left: &[Meaning], right: &[Meaning]) -> bool {
    let mut others: Vec<&Meaning> = right.iter().collect();
    let mut unpaired = |item: &&Meaning| match others.iter().position(|other| **item == **other) {
        Some(at) => {
            others.swap_remove(at);
            false
        }
        None => true,
    };
    let items: Vec<&Meaning> = left.iter().filter(|item| unpaired(item)).collect();
    if left.len() != right.len() || items.len() > LOOSE {
        return false;
    }
    let alike: Vec<Vec<bool>> = items.iter().map(|item| others.iter().map(|other| item.same(other)).collect()).collect();
    let mut partners = vec![None; others.len()];
    (0..items.len()).all(|item| pair(item, &alike, &mut partners, &mut vec![false; others.len()]))
}

/// Finds a partner for `item`, where need be by finding another one for whose partner it takes.
fn pair(item: usize, alike: &[Vec<bool>], partners: &mut [Option<usize>], asked: &mut [bool]) -> bool {
    (0..partners.len()).any(|other| {
        if !alike[item][other] || std::mem::replace(&mut asked[other], true) {
            return false;
        }
        let free = partners[other].is_none_or(|rival| pair(rival, alike, partners, asked));
        if free {
            partners[other] = Some(item);
        }
        free
    })
}

/// Whether a comma stands in `tokens` outside brackets, and all brackets that close in them were opened in them.
fn has_list(tokens: &[Token]) -> bool {
    split(tokens, &Token::Sign(',')).len() > 1
}

/// The parts of `tokens` between those equal to `separator` that stand outside brackets; one part where brackets do not match.
fn split<'t>(tokens: &'t [Token], separator: &Token) -> Vec<&'t [Token]> {
    let (mut parts, mut start, mut nesting) = (Vec::new(), 0, 0);
    for (at, token) in tokens.iter().enumerate() {
        nesting += token.nesting();
        if nesting < 0 {
            return vec![tokens];
        }
        if nesting == 0 && token == separator {
            parts.push(&tokens[start..at]);
            start = at + 1;
        }
    }
    parts.push(&tokens[start..]);
    parts
}
