from .views import index

offer = cancel = prove = join = index
