import weakref

from optimum_compile.compiler.memory import release_memory


class Node:
    other: "Node"


def test_objects_that_refer_to_each_other_are_let_go():
    first, second = Node(), Node()
    first.other, second.other = second, first
    watched = weakref.ref(first)
    del first, second
    release_memory()
    assert watched() is None
