from tests.transform.given import warehouse

__all__ = ["warehouse"]
