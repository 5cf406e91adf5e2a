use super::Model;

/// Accounts between which money moves; none goes below zero, and the sum never changes.
#[derive(Clone, Debug)]
pub struct Bank {
    /// What each account holds at first.
    pub accounts: Vec<u64>,
}

/// What is asked of a [`Bank`]. Accounts are places in [`Bank::accounts`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BankInput {
    /// Move money, where there is enough.
    Transfer {
        /// The account that pays.
        from: usize,
        /// The account that is paid.
        to: usize,
        /// How much.
        amount: u64,
    },
    /// What all accounts hold, at one moment.
    Read,
}

/// What a [`Bank`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BankOutput {
    /// Whether there was enough, and both accounts exist.
    Moved(bool),
    /// Of a read.
    Accounts(Vec<u64>),
}

impl Model for Bank {
    type Input = BankInput;
    type Output = BankOutput;
    type State = Vec<u64>;
    type Key = ();

    fn initial(&self) -> Vec<u64> {
        self.accounts.clone()
    }

    fn step(&self, state: &Vec<u64>, input: &BankInput, output: Option<&BankOutput>) -> Option<Vec<u64>> {
        let mut next = state.clone();
        let answer = match *input {
            BankInput::Transfer { from, to, amount } => BankOutput::Moved(transfer(&mut next, from, to, amount)),
            BankInput::Read => BankOutput::Accounts(state.clone()),
        };
        output.is_none_or(|output| *output == answer).then_some(next)
    }

    fn key(&self, _: &BankInput) {}

    fn is_read(&self, input: &BankInput) -> bool {
        matches!(input, BankInput::Read)
    }
}

fn transfer(accounts: &mut [u64], from: usize, to: usize, amount: u64) -> bool {
    let left = accounts.get(from).and_then(|held| held.checked_sub(amount));
    match left {
        Some(left) if to < accounts.len() => {
            accounts[from] = left;
            accounts[to] += amount;
            true
        }
        _ => false,
    }
}
