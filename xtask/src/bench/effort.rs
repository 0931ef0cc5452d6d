//! How much is measured: enough rounds for a median that another run repeats, or as many as fit
//! into three minutes.

/// Rounds and sizes of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    /// Rounds of the leading latency workload, a small executable renamed over the old one.
    pub(super) leading_rounds: usize,
    /// Rounds of the other ways with a small executable.
    pub(super) rounds: usize,
    /// Rounds with 8 MB and with 80 MB; 0 = left out.
    pub(super) large_rounds: [usize; 2],
    /// Rounds under load.
    pub(super) load_rounds: usize,
    /// Peers take part in correctness and stopping, where most of the time is theirs.
    pub(super) judges_peers: bool,
    /// Times that each correctness case runs.
    pub(super) repetitions: usize,
    /// Cases that run at the same time; they mostly sleep.
    pub(super) side_by_side: usize,
    /// Rounds of starting a tool.
    pub(super) startups: usize,
    /// Seconds in which an idle tool is watched.
    pub(super) idle_seconds: u64,
    /// Rounds of the storm of events.
    pub(super) storms: usize,
    /// Rounds of stopping.
    pub(super) stops: usize,
    /// Rounds at each size of a tree.
    pub(super) scale_rounds: usize,
    /// Reloads of Relaunch and the floor; a peer gets a tenth, since most take 50 ms or more.
    pub(super) reloads: usize,
    /// Rounds in the real image.
    pub(super) image_rounds: usize,
}

impl Effort {
    /// For the docs: about an hour with every peer.
    pub(super) const FULL: Self = Self {
        leading_rounds: 40,
        rounds: 15,
        large_rounds: [8, 5],
        load_rounds: 30,
        judges_peers: true,
        repetitions: 2,
        side_by_side: 10,
        startups: 20,
        idle_seconds: 20,
        storms: 2,
        stops: 2,
        scale_rounds: 2,
        reloads: 10_000,
        image_rounds: 15,
    };

    /// For CI, under three minutes with four tools.
    pub(super) const QUICK: Self = Self {
        leading_rounds: 10,
        rounds: 3,
        large_rounds: [0, 0],
        load_rounds: 5,
        judges_peers: false,
        repetitions: 1,
        side_by_side: 8,
        startups: 6,
        idle_seconds: 5,
        storms: 1,
        stops: 1,
        scale_rounds: 1,
        reloads: 300,
        image_rounds: 3,
    };
}
