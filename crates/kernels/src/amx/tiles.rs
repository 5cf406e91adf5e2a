//! Assembly that products of integers and of bfloat16 share: what is done for a line of up to 32 rows of inputs and 32 outputs, and with its
//! sums, in tiles 0 to 3.

/// Adds the products of a line, by instructions of this name, of more than 16 rows.
macro_rules! two_products {
    ($instruction:literal) => {
        concat!(
            one_product!($instruction),
            "tileloadd tmm5, [{inputs} + {line} + 1024]\n",
            $instruction,
            " tmm2, tmm5, tmm6\n",
            $instruction,
            " tmm3, tmm5, tmm7",
        )
    };
}

/// The same of up to 16 rows.
macro_rules! one_product {
    ($instruction:literal) => {
        concat!(
            "tileloadd tmm4, [{inputs} + {line}]\n",
            "tileloadd tmm6, [{weights} + {line} * 2]\n",
            $instruction,
            " tmm0, tmm4, tmm6\n",
            "tileloadd tmm7, [{weights} + {line} * 2 + 64]\n",
            $instruction,
            " tmm1, tmm4, tmm7\n",
        )
    };
}

/// Stores the sums of more than 16 rows, of which the 17th goes to `scratch`.
macro_rules! store_two {
    () => {
        concat!(store_one!(), "tilestored [{scratch} + {end_stride}], tmm2\n", "tilestored [{scratch} + {end_stride} + 64], tmm3")
    };
}

/// Stores those of up to 16.
macro_rules! store_one {
    () => {
        concat!("tilestored [{end} + {end_stride}], tmm0\n", "tilestored [{end} + {end_stride} + 64], tmm1\n")
    };
}
