//! On/off values in the spellings of Go's `strconv.ParseBool`, which Paketo's buildpacks and
//! Tilt's pack extension use.

/// On or off.
///
/// # Errors
///
/// A sentence that lists the right spellings.
pub fn parse_switch(value: &str) -> Result<bool, String> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("\"{value}\" is neither on nor off; write true, 1, false or 0")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spellings_are_those_of_go() {
        assert_eq!(
            ["1", "t", "T", "true", "TRUE", "True"].map(parse_switch),
            [const { Ok(true) }; 6]
        );
        assert_eq!(
            ["0", "f", "F", "false", "FALSE", "False"].map(parse_switch),
            [const { Ok(false) }; 6]
        );
        assert_eq!(
            parse_switch("yes"),
            Err("\"yes\" is neither on nor off; write true, 1, false or 0".to_owned())
        );
    }
}
