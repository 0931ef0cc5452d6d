//! What crosses between keeper and supervisor: the messages, and the order to start.

use std::os::unix::ffi::OsStrExt;

use relaunch_buildpack::process::bytes::{HEAD, Message, ReceivedOrder, SIZE};

use super::super::target::Target;
use super::{holds, same};

pub(crate) const TARGET: Target = Target {
    words: &[
        "\0\0\0\0",
        "\u{4}\0\0\0\u{1}\0\0\0",
        "\u{4}\0\0\0\u{3}\0\0\0",
        "/bin/app\0",
        "A=1\0",
        "\0",
    ],
    longest: 256,
    short: 100_000,
    ..Target::new(
        "keeper",
        "a message that is understood is the same when it is sent on, and an order has a path, the announced arguments as far as there are words, and all other words as environment",
        check,
    )
};

fn check(input: &[u8]) -> Result<(), String> {
    if let Some(bytes) = input.first_chunk::<SIZE>()
        && let Some(message) = Message::decode(*bytes)
    {
        same(&Message::decode(message.encode()), &Some(message), "sent on")?;
    }
    let Some((head, words)) = input.split_first_chunk::<HEAD>() else { return Ok(()) };
    let whole = words.split(|byte| *byte == 0).count() - 1;
    let count = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
    let Some(order) = ReceivedOrder::new(*head, words.to_vec()) else { return Ok(()) };
    let Some((path, arguments, environment)) = order.lists() else {
        return same(&whole, &0, "words of an order without a path");
    };
    holds(words.starts_with(path.to_bytes_with_nul()), "its path is not the first word")?;
    holds(std::ffi::OsStr::from_bytes(path.to_bytes()).len() < words.len(), "no NUL")?;
    let expected = count.min(whole - 1);
    same(&arguments.len(), &(expected + 1), "arguments with their end")?;
    same(&environment.len(), &(whole - 1 - expected + 1), "environment with its end")?;
    let ends = [&arguments, &environment].map(|list| list.last().is_some_and(|it| it.is_null()));
    same(&ends, &[true; 2], "ends of the lists")
}
