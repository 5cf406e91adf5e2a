//! The two shapes that repeat all over the crate.

/// Implements a trait for references and smart pointers to whatever implements it, every method, so that no override is lost.
macro_rules! forward {
    ($trait:ident { $($methods:tt)* }) => {
        forward!(@impl $trait, &T { $($methods)* });
        forward!(@impl $trait, Box<T> { $($methods)* });
        forward!(@impl $trait, std::sync::Arc<T> { $($methods)* });
    };
    (@impl $trait:ident, $pointer:ty {
        $(fn $method:ident $(<$life:lifetime>)? (&$($own:lifetime)? $this:ident $(, $argument:ident: $type:ty)*) -> $output:ty;)*
    }) => {
        impl<T: $trait + ?Sized> $trait for $pointer {
            $(fn $method $(<$life>)? (&$($own)? $this $(, $argument: $type)*) -> $output {
                (**$this).$method($($argument),*)
            })*
        }
    };
}

/// Builder methods that set an optional field.
macro_rules! setters {
    ($($(#[$doc:meta])* $method:ident($field:ident: $type:ty);)*) => {
        $($(#[$doc])*
        pub fn $method(mut self, $field: $type) -> Self {
            self.$field = Some($field.into());
            self
        })*
    };
}

pub(crate) use {forward, setters};
