//! What must hold of every fusion, and figures worked out by hand.
#![expect(clippy::unwrap_used, reason = "tests")]

use jarre_rag::{
    ChunkId, DocId,
    index::Hit,
    retrieve::{Fusion, Leg, Normalisation, RankedList, RetrievedHit, fuse},
};
use proptest::prelude::*;

fn id(document: usize) -> ChunkId {
    ChunkId { doc: DocId(format!("d{document:03}")), ordinal: 0 }
}

fn hits(scores: &[(usize, f32)]) -> Vec<Hit> {
    scores.iter().map(|&(document, score)| Hit { chunk: id(document), score }).collect()
}

fn fusions() -> [Fusion; 5] {
    let convex = Fusion::convex(0.3).unwrap();
    [Fusion::rrf(), Fusion::rrf_with(0.0).unwrap(), Fusion::dbsf(), convex, Fusion::dbsf().with_weights(0.25, 2.0).unwrap()]
}

#[track_caller]
fn assert_fused(fused: &[RetrievedHit], expected: &[(usize, f64)]) {
    let found: Vec<_> = fused.iter().map(|hit| (hit.chunk.clone(), f64::from(hit.score))).collect();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((chunk, score), (document, by_hand)) in found.iter().zip(expected) {
        assert!(*chunk == id(*document) && (score - by_hand).abs() < 1e-6, "{found:?}, by hand {expected:?}");
    }
}

#[test]
fn rrf_adds_reciprocal_ranks() {
    let (dense, sparse) = (hits(&[(1, 0.9), (2, 0.8), (3, 0.1)]), hits(&[(3, 12.0), (2, 5.0), (4, 1.0)]));
    let expected = [(3, 1.0 / 63.0 + 1.0 / 61.0), (2, 1.0 / 62.0 + 1.0 / 62.0), (1, 1.0 / 61.0), (4, 1.0 / 63.0)];
    assert_fused(&Fusion::rrf().fuse(&dense, &sparse), &expected);
}

#[test]
fn dbsf_places_scores_between_three_deviations() {
    // Dense: mean 0.5, deviation 0.2, so 0.7 lies at 4/6; sparse: mean 4, deviation 2.
    let (dense, sparse) = (hits(&[(1, 0.7), (2, 0.5), (3, 0.3)]), hits(&[(3, 6.0), (1, 4.0), (4, 2.0)]));
    let expected = [(1, 4.0 / 6.0 + 3.0 / 6.0), (3, 2.0 / 6.0 + 4.0 / 6.0), (2, 3.0 / 6.0), (4, 2.0 / 6.0)];
    assert_fused(&Fusion::dbsf().fuse(&dense, &sparse), &expected);
}

#[test]
fn dbsf_clips_what_lies_beyond() {
    let mut scores: Vec<(usize, f32)> = (0..40).map(|document| (document, 0.0)).collect();
    scores[7].1 = 100.0;
    let fused = Fusion::dbsf().fuse(&[], &hits(&scores));
    assert!((fused[0].chunk == id(7)) && (fused[0].legs[0].normalised - 1.0).abs() < 1e-6);
}

#[test]
fn a_list_that_tells_nothing_apart_gives_one_half() {
    assert_fused(&Fusion::dbsf().fuse(&hits(&[(9, 0.3)]), &[]), &[(9, 0.5)]);
    assert_fused(&Fusion::dbsf().fuse(&[], &hits(&[(2, 4.0), (1, 4.0)])), &[(1, 0.5), (2, 0.5)]);
}

#[test]
fn convex_normalises_from_the_legs_floor_to_the_lists_best() {
    let (dense, sparse) = (hits(&[(1, 0.6), (2, -0.2)]), hits(&[(2, 8.0), (3, 2.0)]));
    let expected = [(2, 0.25 * 0.5 + 0.75), (1, 0.25), (3, 0.75 * 0.25)];
    assert_fused(&Fusion::convex(0.25).unwrap().fuse(&dense, &sparse), &expected);
    assert_fused(&Fusion::convex(0.5).unwrap().fuse(&hits(&[(1, -1.0)]), &hits(&[(2, 0.0)])), &[(1, 0.0), (2, 0.0)]);
}

#[test]
fn a_weight_of_zero_silences_a_leg() {
    let fused = Fusion::rrf().with_weights(1.0, 0.0).unwrap().fuse(&hits(&[(5, 0.2)]), &hits(&[(1, 9.0)]));
    assert_fused(&fused, &[(5, 1.0 / 61.0), (1, 0.0)]);
}

#[test]
fn equal_scores_go_to_the_better_rank_and_then_to_the_smaller_id() {
    let fused = Fusion::rrf().fuse(&hits(&[(2, 0.9), (1, 0.8)]), &hits(&[(1, 9.0), (2, 8.0)]));
    assert_eq!(fused.iter().map(|hit| hit.chunk.clone()).collect::<Vec<_>>(), [id(1), id(2)]);
    assert_eq!(fused[0].score.to_bits(), fused[1].score.to_bits());
    // Both beyond three deviations: clipped to the same score, and still in the leg's order.
    let mut scores: Vec<(usize, f32)> = (0..100).map(|document| (document, 0.0)).collect();
    (scores[30].1, scores[70].1) = (99.0, 100.0);
    let fused = Fusion::dbsf().fuse(&hits(&scores), &[]);
    assert_eq!((&fused[0].chunk, &fused[1].chunk), (&id(70), &id(30)));
    assert_eq!(fused[0].score.to_bits(), fused[1].score.to_bits());
}

#[test]
fn an_explanation_names_rank_score_and_weight_of_each_leg() {
    let fused = Fusion::convex(0.25).unwrap().fuse(&hits(&[(1, 0.6), (2, 0.2)]), &hits(&[(2, 8.0)]));
    let legs = &fused[0].legs;
    assert_eq!((legs[0].leg, legs[0].rank, legs[0].score, legs[0].weight), (Leg::Dense, 2, 0.2, 0.25));
    assert_eq!((legs[1].leg, legs[1].rank, legs[1].score, legs[1].weight), (Leg::Sparse, 1, 8.0, 0.75));
    assert!((legs[0].normalised - 1.2 / 1.6).abs() < 1e-6 && (legs[1].normalised - 1.0).abs() < 1e-6);
}

#[test]
fn names_are_read_back_and_nonsense_is_refused() {
    for name in ["rrf", "rrf:20", "dbsf", "dbsf@2,1", "convex:0.3", "rrf:5@0.5,1", "convex@2,3"] {
        let fusion: Fusion = name.parse().unwrap();
        assert_eq!(fusion.to_string(), name);
        assert_eq!(serde_json::from_str::<Fusion>(&serde_json::to_string(&fusion).unwrap()).unwrap(), fusion);
    }
    for wrong in
        ["", "rff", "rrf:", "rrf:-1", "rrf:NaN", "convex:1.5", "convex:NaN", "dbsf:1", "dbsf@1", "dbsf@0,0", "dbsf@-1,2", "rrf@inf,1"]
    {
        assert!(wrong.parse::<Fusion>().is_err(), "{wrong}");
    }
}

/// Scores as they come, and as they never should.
fn any_score() -> impl Strategy<Value = f32> {
    let wild = prop_oneof![Just(f32::NAN), Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(f32::MAX), Just(f32::MIN), Just(0.0)];
    prop_oneof![4 => -1.0_f32..30.0, 1 => wild]
}

fn list(score: impl Strategy<Value = f32>) -> impl Strategy<Value = Vec<(usize, f32)>> {
    prop::collection::vec((0_usize..25, score), 0..25)
}

fn distinct(score: impl Strategy<Value = f32>) -> impl Strategy<Value = Vec<(usize, f32)>> {
    prop::collection::btree_map(0_usize..40, score, 0..40).prop_map(|map| map.into_iter().collect())
}

proptest! {
    #[test]
    fn no_input_makes_a_score_that_is_no_number(dense in list(any_score()), sparse in list(any_score())) {
        for fusion in fusions() {
            let fused = fusion.fuse(&hits(&dense), &hits(&sparse));
            for hit in &fused {
                prop_assert!(hit.score.is_finite() && hit.legs.iter().all(|leg| leg.normalised.is_finite()), "{fusion}: {hit:?}");
            }
            let mut seen: Vec<_> = fused.iter().map(|hit| hit.chunk.clone()).collect();
            seen.sort();
            let mut given: Vec<_> = dense.iter().chain(&sparse).map(|(document, _)| id(*document)).collect();
            given.sort();
            given.dedup();
            prop_assert_eq!(seen, given, "each chunk once");
        }
    }

    #[test]
    fn the_order_of_the_input_makes_no_difference(
        dense in distinct(any_score()).prop_shuffle(), sparse in distinct(-1.0_f32..3.0).prop_shuffle(), seed in any::<u64>(),
    ) {
        let (dense, sparse) = (hits(&dense), hits(&sparse));
        let shuffled = |hits: &[Hit]| {
            let mut hits = hits.to_vec();
            hits.sort_by_key(|hit| hit.chunk.doc.0.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)));
            hits
        };
        let (other_dense, other_sparse) = (shuffled(&dense), shuffled(&sparse));
        for normalisation in [Normalisation::ReciprocalRank { k: 60.0 }, Normalisation::Distribution, Normalisation::TheoreticalMinMax] {
            let list = |leg, hits| RankedList { leg, weight: 0.7, hits };
            let one = fuse(normalisation, &[list(Leg::Dense, &dense), list(Leg::Sparse, &sparse)]);
            let two = fuse(normalisation, &[list(Leg::Sparse, &other_sparse), list(Leg::Dense, &other_dense)]);
            // Scores that are no numbers equal nothing, so compare what is written.
            prop_assert_eq!(format!("{one:?}"), format!("{two:?}"));
        }
    }

    #[test]
    fn an_explanation_adds_up_to_the_score(dense in distinct(-1.0_f32..1.0), sparse in distinct(0.0_f32..40.0)) {
        for fusion in fusions() {
            for hit in fusion.fuse(&hits(&dense), &hits(&sparse)) {
                let sum: f32 = hit.legs.iter().map(|leg| leg.weight * leg.normalised).sum();
                prop_assert_eq!(sum.to_bits(), hit.score.to_bits());
                for leg in &hit.legs {
                    let list = if leg.leg == Leg::Dense { &dense } else { &sparse };
                    prop_assert!(list.iter().any(|(document, score)| id(*document) == hit.chunk && score.to_bits() == leg.score.to_bits()));
                    prop_assert_eq!(leg.rank, 1 + list.iter().filter(|(document, score)| {
                        *score > leg.score || (score.to_bits() == leg.score.to_bits() && id(*document) < hit.chunk)
                    }).count());
                }
            }
        }
    }

    #[test]
    fn one_leg_keeps_its_order(scores in distinct(-1.0_f32..30.0)) {
        let mut ordered = hits(&scores);
        ordered.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.chunk.cmp(&b.chunk)));
        let expected: Vec<_> = ordered.iter().map(|hit| hit.chunk.clone()).collect();
        for fusion in fusions() {
            for fused in [fusion.fuse(&ordered, &[]), fusion.fuse(&[], &ordered)] {
                prop_assert_eq!(fused.into_iter().map(|hit| hit.chunk).collect::<Vec<_>>(), expected.clone(), "{}", fusion);
            }
        }
    }

    #[test]
    fn what_a_leg_likes_better_does_not_fall(
        dense in distinct(-1.0_f32..1.0), sparse in distinct(0.0_f32..30.0), which: prop::sample::Index, more in 0.0_f32..10.0,
    ) {
        prop_assume!(!sparse.is_empty());
        let place = which.index(sparse.len());
        let chunk = id(sparse[place].0);
        for fusion in fusions() {
            let of = |sparse: &[(usize, f32)]| {
                fusion.fuse(&hits(&dense), &hits(sparse)).into_iter().find(|hit| hit.chunk == chunk).unwrap().score
            };
            let before = of(&sparse);
            let mut better = sparse.clone();
            better[place].1 += more;
            prop_assert!(of(&better) >= before - 1e-6, "{fusion}");
        }
    }
}
