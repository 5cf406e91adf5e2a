use jarre_core::Embeddings;
use serde::{Deserialize, Serialize};

/// A topic, by examples.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// What findings call it.
    pub name: String,
    /// Texts about it; the more they differ, the more is found.
    pub examples: Vec<String>,
    /// The similarity from which a text is about it; that of the guard where it is not given.
    #[serde(default)]
    pub threshold: Option<f32>,
}

/// How close a text is to the examples of a topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closeness {
    /// As its cosine with the nearest of them: for topics of many sides.
    #[default]
    Nearest,
    /// As its cosine with their mean: for narrow topics, and few outliers.
    Centroid,
}

/// A topic as vectors of length 1.
#[derive(Debug)]
pub(super) struct Vectors {
    pub(super) name: String,
    pub(super) threshold: f32,
    rows: Vec<Vec<f32>>,
}

impl Vectors {
    /// Takes the rows `rows` of `matrix`, which are those of the topic's examples.
    pub(super) fn new(topic: &Topic, threshold: f32, matrix: &Embeddings, rows: std::ops::Range<usize>, closeness: Closeness) -> Self {
        let mut rows: Vec<Vec<f32>> = rows.map(|row| unit(matrix.row(row))).collect();
        if closeness == Closeness::Centroid {
            let mut sum = vec![0.0; matrix.dims()];
            for row in &rows {
                sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
            rows = vec![unit(&sum)];
        }
        Self { name: topic.name.clone(), threshold: topic.threshold.unwrap_or(threshold), rows }
    }

    /// How close `vector`, which has length 1, is, from -1 to 1.
    pub(super) fn closeness(&self, vector: &[f32]) -> f32 {
        let cosine = |row: &Vec<f32>| row.iter().zip(vector).map(|(a, b)| a * b).sum::<f32>();
        self.rows.iter().map(cosine).fold(-1.0, f32::max)
    }
}

/// `vector` at length 1; one without length stays as it is and is close to nothing.
pub(super) fn unit(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    vector.iter().map(|value| if length > 0.0 { value / length } else { 0.0 }).collect()
}
