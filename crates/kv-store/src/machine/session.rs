use super::{
    Batch,
    command::{Answer, Response},
    layout,
    record::SessionRecord,
    rows::{self, damaged},
};
use crate::{Refusal, Result, SessionId, SessionTag};

/// Sessions that are remembered; beyond them those are forgotten that were used longest ago.
const SESSIONS: u64 = 4096;

impl Batch<'_> {
    pub(super) fn open_session(&mut self) -> Result<Answer> {
        if self.state.sessions >= SESSIONS {
            self.forget_oldest()?;
        }
        let id = SessionId(self.state.next_id);
        self.state.next_id = self.state.next_id.saturating_add(1);
        self.state.sessions = self.state.sessions.saturating_add(1);
        self.remember(id, 0, Vec::new())?;
        Ok(Ok(Response::SessionOpened(id)))
    }

    pub(super) fn close_session(&mut self, id: SessionId) -> Result<Answer> {
        let Some(record) = rows::load::<SessionRecord>(self.rows, &layout::session(id))? else { return Ok(Err(Refusal::SessionExpired)) };
        self.forget(id, record.used)?;
        Ok(Ok(Response::SessionClosed))
    }

    /// The answer to the session's request: kept from the first time, or what `carry_out` gives.
    pub(super) fn once(&mut self, tag: SessionTag, carry_out: impl FnOnce(&mut Self) -> Result<Answer>) -> Result<Answer> {
        let row = layout::session(tag.id);
        let Some(record) = rows::load::<SessionRecord>(self.rows, &row)? else { return Ok(Err(Refusal::SessionExpired)) };
        #[cfg(feature = "mutants")]
        if crate::mutants::Mutant::SessionSequenceIgnored.is_in() {
            return carry_out(self);
        }
        if tag.sequence < record.sequence {
            return Ok(Err(Refusal::SessionMovedOn { last: record.sequence }));
        }
        if tag.sequence == record.sequence && !record.answer.is_empty() {
            return postcard::from_bytes(&record.answer).map_err(|error| damaged(&row, &error.to_string()));
        }
        let answer = carry_out(self)?;
        let encoded = postcard::to_allocvec(&answer).expect("answers are plain data, which postcard can always write");
        self.rows.remove(&layout::session_use(record.used))?;
        self.remember(tag.id, tag.sequence, encoded)?;
        Ok(answer)
    }

    fn remember(&mut self, id: SessionId, sequence: u64, answer: Vec<u8>) -> Result<()> {
        let used = self.state.applied;
        rows::store(self.rows, &layout::session_use(used), &id)?;
        rows::store(self.rows, &layout::session(id), &SessionRecord { sequence, used, answer })
    }

    fn forget(&mut self, id: SessionId, used: u64) -> Result<()> {
        self.rows.remove(&layout::session_use(used))?;
        self.rows.remove(&layout::session(id))?;
        self.state.sessions = self.state.sessions.saturating_sub(1);
        Ok(())
    }

    fn forget_oldest(&mut self) -> Result<()> {
        let (from, to) = layout::SESSION_USES;
        let Some(oldest) = self.rows.scan(from, to, false)?.next() else { return Ok(()) };
        let (row, sealed) = oldest?;
        let id: SessionId = rows::decode(&row, &sealed)?;
        let Some(layout::RowKey::SessionUse(used)) = layout::parse(&row) else { return Err(damaged(&row, "its key is not that of a use")) };
        self.forget(id, used)
    }
}
