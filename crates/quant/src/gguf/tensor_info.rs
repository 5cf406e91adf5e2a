use super::TensorType;

/// The most dimensions of a tensor.
pub const MAX_DIMS: usize = 4;

/// What the directory of a file says about a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    pub(super) name: String,
    pub(super) dims: Vec<u64>,
    pub(super) tensor_type: TensorType,
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) elements: u64,
}

impl TensorInfo {
    /// Checks the dimensions, and computes how many elements and bytes the tensor has; the offset is 0.
    pub(super) fn new(name: String, dims: Vec<u64>, tensor_type: TensorType) -> Result<Self, String> {
        if dims.is_empty() || dims.len() > MAX_DIMS {
            return Err(format!("it has {} dimensions, and between 1 and {MAX_DIMS} are allowed", dims.len()));
        }
        if dims.contains(&0) {
            return Err(format!("one of its dimensions {dims:?} is 0"));
        }
        let block = tensor_type.block_len() as u64;
        if !dims[0].is_multiple_of(block) {
            return Err(format!("its first dimension {} is not a multiple of {block}, the block of {tensor_type}", dims[0]));
        }
        let elements = dims.iter().try_fold(1_u64, |product, &dim| product.checked_mul(dim));
        let size = elements.and_then(|elements| Some((elements, (elements / block).checked_mul(tensor_type.block_bytes() as u64)?)));
        let (elements, bytes) = size.ok_or_else(|| format!("its dimensions {dims:?} give more bytes than can be counted"))?;
        Ok(Self { name, dims, tensor_type, offset: 0, bytes, elements })
    }

    /// The name, for example `blk.0.attn_q.weight`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The dimensions in the order of the file: the one that is contiguous in memory comes first, so that a matrix of `out` rows and `in`
    /// columns is `[in, out]`. Between 1 and [`MAX_DIMS`], none of them 0.
    pub fn dims(&self) -> &[u64] {
        &self.dims
    }

    /// How the elements are stored.
    pub fn tensor_type(&self) -> TensorType {
        self.tensor_type
    }

    /// Where the data begin, counted from the beginning of the tensor data, as the file says it.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes that the data take in the file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The product of the dimensions.
    pub fn elements(&self) -> u64 {
        self.elements
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_whole_blocks() {
        let info = TensorInfo::new("a".to_owned(), vec![512, 3], TensorType::Q6K).unwrap();
        assert_eq!((info.elements(), info.bytes()), (1536, 6 * 210));
        for (dims, reason) in [
            (vec![], "0 dimensions"),
            (vec![32; 5], "5 dimensions"),
            (vec![32, 0], "is 0"),
            (vec![33], "multiple of 32"),
            (vec![32, 1 << 62], "than can be counted"),
            (vec![1 << 40, 1 << 40], "than can be counted"),
        ] {
            assert!(TensorInfo::new("a".to_owned(), dims, TensorType::Q8_0).unwrap_err().contains(reason), "{reason}");
        }
    }
}
