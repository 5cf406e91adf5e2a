use redb::{Database, ReadableDatabase};

use super::{
    disk::{ROWS, Table, failed},
    wall::behind_a_wall,
};
use crate::{Result, local::Shared, machine::Rows};

/// Shows `look` the rows after the last commit. A store whose file turns out to be damaged stops.
pub(crate) fn view(database: &Database, place: &str, shared: &Shared, look: &mut dyn FnMut(&dyn Rows) -> Result<()>) -> Result<()> {
    shared.sound()?;
    let mut panicked = true;
    let seen = behind_a_wall(place, || {
        let reading = database.begin_read().map_err(|error| failed(place, error))?;
        let table = reading.open_table(ROWS).map_err(|error| failed(place, error))?;
        let seen = look(&Table { table, place });
        panicked = false;
        seen
    });
    seen.inspect_err(|error| {
        if panicked {
            shared.poison(error);
        }
    })
}
