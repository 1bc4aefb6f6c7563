"""Facts of a kind of artifact that the rest of the compiler asks for, instead of asking for names."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Traits:
    """What holds for every artifact of a backend.

    stores_weights: it holds packed weights; else it only says which widths they should have.
    rounds_more: it rounds more than was decided, so that answers far from the oracle's are the model's.
    chooses_widths: a call says with how many bits nested weights are read; else all bits always are.
    runs_schedulers: its runtime reads the cache after the prompt and runs a learned scheduler on it.
    skips_experts: experts that no token of a call goes to are not computed; else all always are.
    one_for_every_length: one function serves calls of any number of tokens.
    pads_prompts: a prompt of any length is cut into chunks of one length, the last one padded.
    constant_ranges: activations are rounded in ranges that are found before emission.
    """

    stores_weights: bool = True
    rounds_more: bool = False
    chooses_widths: bool = False
    runs_schedulers: bool = False
    skips_experts: bool = False
    one_for_every_length: bool = False
    pads_prompts: bool = False
    constant_ranges: bool = False


@dataclass(frozen=True)
class Rounded:
    """What is rounded in a graph whose artifact is compared with the oracle.

    weights: any below 16 bits. kv_bits: the fewest of any cache. activations: at run time.
    """

    weights: bool
    kv_bits: int = 16
    activations: bool = False
