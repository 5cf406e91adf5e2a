use std::{future::Future, time::Duration};

use tokio::{sync::watch, time::timeout};

use super::{
    consensus::{Metrics, Raft},
    entropy,
};

/// How many election times without a leader are too many: what openraft does by itself takes at most six between two tries of a member.
const PATIENCE: u32 = 12;
/// Over how many election times the tries of members are spread.
const SPREAD: u32 = 6;

/// Ends elections that nobody wins, until the member stops.
///
/// openraft draws once, when it starts, how long a member waits before it stands for election. Two voters that drew nearly the same, and that
/// both know of a longer log than their own (at a member that does not vote any more), may each stand just when the other has voted for
/// itself, again and again. Raft asks for another draw before each election (Ongaro, section 3.4); this is one.
pub(super) async fn end(raft: Raft, election: Duration) {
    let stand = || async { raft.trigger().elect().await.is_ok() };
    stand_at_random(raft.metrics(), has_no_leader, election, stand).await;
}

fn has_no_leader(metrics: &Metrics) -> bool {
    metrics.current_leader.is_none() && metrics.membership_config.membership().voter_ids().any(|id| id == metrics.id)
}

/// Calls `stand` once `is_leaderless` has held for [`PATIENCE`] election times and up to [`SPREAD`] more, drawn anew each time, until it says
/// that this was in vain for good, or `states` end.
async fn stand_at_random<S, F>(mut states: watch::Receiver<S>, is_leaderless: fn(&S) -> bool, election: Duration, stand: impl Fn() -> F)
where
    F: Future<Output = bool>,
{
    while states.wait_for(is_leaderless).await.is_ok() {
        let patience = election * PATIENCE + (election * SPREAD).mul_f64(entropy::share());
        let led = timeout(patience, states.wait_for(|state| !is_leaderless(state))).await.map(|led| led.is_ok());
        let goes_on = if let Ok(goes_on) = led {
            goes_on
        } else {
            tracing::info!("no leader for long: this member stands for election");
            stand().await
        };
        if !goes_on {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tokio::time::{Instant, sleep};

    use super::*;

    const ELECTION: Duration = Duration::from_millis(100);

    /// When a member stood in `time`, whose leader goes and comes as `story` has it.
    async fn stood(time: Duration, story: impl AsyncFnOnce(watch::Sender<bool>)) -> Vec<Duration> {
        let began = Instant::now();
        let times = RefCell::new(Vec::new());
        let (sender, leaderless) = watch::channel(false);
        let stand = || async {
            times.borrow_mut().push(began.elapsed());
            true
        };
        let member = stand_at_random(leaderless, |leaderless| *leaderless, ELECTION, stand);
        let _ = timeout(time, async { tokio::join!(member, story(sender)) }).await;
        times.take()
    }

    #[tokio::test(start_paused = true)]
    async fn stands_again_and_again_at_times_that_differ() {
        let times = stood(Duration::from_mins(5), async |leaderless| {
            leaderless.send_replace(true);
            std::future::pending::<()>().await;
        })
        .await;
        assert!((160..=250).contains(&times.len()), "{} elections in 3,000 election times", times.len());
        let gaps: Vec<Duration> = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        assert!(gaps.iter().all(|gap| (ELECTION * 12..=ELECTION * 18 + Duration::from_millis(2)).contains(gap)), "{gaps:?}");
        let [least, most] = [gaps.iter().min(), gaps.iter().max()].map(|gap| *gap.expect("it stood more than once"));
        assert!(most > least + ELECTION * 5, "gaps from {least:?} to {most:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn does_not_stand_where_a_leader_comes_in_time() {
        let times = stood(Duration::from_mins(5), async |leaderless| {
            loop {
                leaderless.send_replace(true);
                sleep(ELECTION * 11).await;
                leaderless.send_replace(false);
                sleep(ELECTION).await;
            }
        })
        .await;
        assert_eq!(times, []);
    }

    #[tokio::test(start_paused = true)]
    async fn ends_with_the_member() {
        let (sender, leaderless) = watch::channel(true);
        drop(sender);
        stand_at_random(leaderless, |leaderless| *leaderless, ELECTION, || async { panic!("it has ended") }).await;
        let (_sender, leaderless) = watch::channel(true);
        stand_at_random(leaderless, |leaderless| *leaderless, ELECTION, || async { false }).await;
    }
}
