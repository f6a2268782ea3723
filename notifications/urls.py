from django.urls import path

from . import views

urlpatterns = [
    path("envois/", views.envois, name="envois"),
    path("envois/<int:pk>/", views.envoi, name="envoi"),
    path("envois/<int:pk>/html/", views.envoi_html, name="envoi_html"),
    path("envois/<int:pk>/reexpedier/", views.reexpedier, name="envoi_reexpedier"),
]
