"""Merkle trees of RFC 6962: the root over a log, and the proof that a log only grew.

Formulas: RFC 6962, sections 2.1 (root) and 2.1.2 (proof); RFC 9162, section 2.1.4.2 (its check).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry of a log."""
    return hashlib.sha256(b"\0" + entry).digest()


def _node_hash(left_node: bytes, right_node: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left_node + right_node).digest()


class Frontier:
    """A growing tree as the roots of its whole subtrees, the largest first.

    They are as many as its size has binary ones: a leaf is added without the leaves before it.
    """

    def __init__(self, size: int = 0, roots: Iterable[bytes] = ()) -> None:
        """Start with no leaf, or where another frontier is."""
        self.size = size
        self.roots = tuple(roots)

    def add(self, leaf: bytes) -> None:
        """Add the hash of a leaf."""
        self.size += 1
        node, whole, rest = leaf, list(self.roots), self.size
        while rest % 2 == 0:  # two subtrees of one size become one of twice the size
            node, rest = _node_hash(whole.pop(), node), rest // 2
        self.roots = (*whole, node)

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        if not self.roots:
            return EMPTY_ROOT
        node = self.roots[-1]
        for sibling in reversed(self.roots[:-1]):
            node = _node_hash(sibling, node)
        return node


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """The root of a tree over some leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.add(leaf)
    return frontier.root()


def prove_consistency(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """The proof that a tree continues the tree of its first leaves; empty for none or all of them.

    Args:
        leaves: the leaf hashes of the tree.
        old_size: how many of them the earlier tree has, at most all.
    """
    return _subproof(leaves, old_size, is_whole=True) if 0 < old_size < len(leaves) else []


def _subproof(leaves: Sequence[bytes], old_size: int, *, is_whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962: `is_whole` is its b, whether the earlier tree is known by its root."""
    if old_size == len(leaves):
        return [] if is_whole else [tree_root(leaves)]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)  # the largest power of two below the size
    if old_size <= split:
        left_proof = _subproof(leaves[:split], old_size, is_whole=is_whole)
        return [*left_proof, tree_root(leaves[split:])]
    right_proof = _subproof(leaves[split:], old_size - split, is_whole=False)
    return [*right_proof, tree_root(leaves[:split])]


def is_consistent(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether a proof shows that a tree continues an earlier one, nothing of it changed."""
    if old_size == 0:
        return not proof
    if old_size >= new_size:
        return old_size == new_size and old_root == new_root and not proof
    path = list(proof)
    if old_size & (old_size - 1) == 0:  # the earlier tree is a subtree of the new one
        path.insert(0, old_root)
    if not path:
        return False
    old_index, new_index = old_size - 1, new_size - 1
    while old_index & 1:
        old_index, new_index = old_index >> 1, new_index >> 1
    old_node = new_node = path[0]
    for node in path[1:]:
        if new_index == 0:
            return False
        if old_index & 1 or old_index == new_index:
            old_node, new_node = _node_hash(node, old_node), _node_hash(node, new_node)
            while old_index and not old_index & 1:
                old_index, new_index = old_index >> 1, new_index >> 1
        else:
            new_node = _node_hash(new_node, node)
        old_index, new_index = old_index >> 1, new_index >> 1
    return new_index == 0 and old_node == old_root and new_node == new_root
