//! In how many bits the weights of a model are.

use std::fmt;

use anyhow::Result;
use clap::ValueEnum;
use jarre_transformer::CausalModel;
use jarre_transformer::quantize::{Int4Scheme, Quantizer, Scheme};
use serde::{Deserialize, Serialize};

use super::f16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Precision {
    /// As loaded: what the others are compared with.
    F32,
    /// All parameters rounded to half precision; computed, and kept in memory, in f32.
    F16,
    /// Linear layers in bfloat16, inputs of products too.
    Bf16,
    /// Linear layers in eight bits with a scale for each output, inputs of products in eight.
    Int8,
    /// Linear layers in four bits in groups of 32, logits in eight; inputs of products in eight.
    Int4,
}

impl Precision {
    pub(super) const ALL: [Self; 5] = [Self::F32, Self::F16, Self::Bf16, Self::Int8, Self::Int4];

    /// The model in this precision.
    pub(super) fn of(self, model: &CausalModel) -> Result<CausalModel> {
        let scheme = match self {
            Self::F32 => return Ok(model.clone()),
            Self::F16 => return f16::rounded(model),
            Self::Bf16 => Scheme::Bf16,
            Self::Int8 => Scheme::Int8,
            Self::Int4 => Scheme::Int4(Int4Scheme::symmetric(32)),
        };
        Ok(model.clone().quantized(&Quantizer::new(scheme), &[])?)
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
            Self::Int4 => "int4",
        })
    }
}
