//! Which segments a commit melts into one, so that there are few of them and little in them is dead.

/// More segments than this are not left.
const MOST_SEGMENTS: usize = 8;

/// A segment of which more than one part in this many is dead is written anew.
const DEAD_PART: usize = 5;

/// The weight of a segment: its documents and chunks, and those of them that are live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) all: usize,
    pub(super) live: usize,
}

/// The positions in `sizes` of the segments to melt into one, ascending; none where all is well.
///
/// Where there are too many, the smallest go together, and with them each next one that is no larger than what has been gathered: so a
/// chunk is rewritten a number of times that is logarithmic in the number of chunks.
pub(super) fn plan(sizes: &[Size]) -> Vec<usize> {
    let mut chosen: Vec<usize> = (0..sizes.len()).filter(|&at| is_mostly_dead(sizes[at])).collect();
    if sizes.len() - chosen.len().saturating_sub(1) > MOST_SEGMENTS {
        chosen.extend(smallest_run(sizes, &chosen));
        chosen.sort_unstable();
    }
    chosen
}

fn is_mostly_dead(size: Size) -> bool {
    (size.all - size.live) * DEAD_PART > size.all
}

fn smallest_run(sizes: &[Size], chosen: &[usize]) -> Vec<usize> {
    let mut rest: Vec<usize> = (0..sizes.len()).filter(|at| !chosen.contains(at)).collect();
    rest.sort_by_key(|&at| sizes[at].live);
    let mut gathered: usize = chosen.iter().map(|&at| sizes[at].live).sum();
    let mut run = Vec::new();
    for at in rest {
        if run.len() >= 2 && sizes[at].live > gathered {
            break;
        }
        gathered += sizes[at].live;
        run.push(at);
    }
    run
}

#[cfg(test)]
mod tests {
    use super::{Size, plan};

    fn whole(sizes: &[usize]) -> Vec<Size> {
        sizes.iter().map(|&all| Size { all, live: all }).collect()
    }

    #[test]
    fn few_live_segments_are_left_alone() {
        assert!(plan(&whole(&[1, 2, 3, 4, 5, 6, 7, 8])).is_empty());
        assert!(plan(&[Size { all: 10, live: 8 }]).is_empty());
    }

    #[test]
    fn a_segment_over_a_fifth_dead_is_rewritten() {
        assert_eq!(plan(&[Size { all: 100, live: 100 }, Size { all: 10, live: 7 }]), [1]);
    }

    #[test]
    fn the_smallest_melt_and_a_large_one_stays() {
        assert_eq!(plan(&whole(&[1000, 1, 1, 1, 1, 1, 1, 1, 1])), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(plan(&whole(&[256, 128, 64, 32, 16, 8, 9, 5, 1])), [7, 8]);
        assert_eq!(plan(&whole(&[256, 128, 64, 32, 16, 8, 4, 2, 2])), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn a_chunk_is_rewritten_a_logarithmic_number_of_times() {
        let (mut segments, mut written) = (Vec::new(), 0);
        for _ in 0..1000 {
            segments.push(1);
            written += 1;
            let chosen = plan(&whole(&segments));
            if !chosen.is_empty() {
                let merged: usize = chosen.iter().map(|&at| segments[at]).sum();
                segments = (0..segments.len()).filter(|at| !chosen.contains(at)).map(|at| segments[at]).collect();
                segments.push(merged);
                written += merged;
            }
            assert!(segments.len() <= 8);
        }
        assert!(written < 1000 * 11, "{written} writes");
    }
}
