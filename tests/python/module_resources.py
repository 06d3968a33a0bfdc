# The peer names a module where Python before 3.12 wants a package: look in its package instead.
import importlib
import importlib.resources

_files = importlib.resources.files


def files(anchor=None):
    try:
        return _files(anchor)
    except TypeError:
        return _files(anchor.rpartition('.')[0])


importlib.resources.files = files
